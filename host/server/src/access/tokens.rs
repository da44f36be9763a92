//! The door to tokens: make, list, revoke. A token is shown when it is made and never again.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wasmlops_core::access::{Area, Level, Permission, Rights, Role, Scope};
use wasmlops_core::config::parse_duration;
use wasmlops_core::run::Micros;
use wasmlops_store::{self as store, Stamp, TokenCreated, TokenRevoked, TokenRow};
use zeroize::Zeroizing;

use super::bearer::SECRET;
use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::host::Host;

/// So that a token is known as one wherever it turns up.
pub const PREFIX: &str = "wml_";

/// The name of the token that a project's first start makes.
pub const FIRST: &str = "first-admin";

/// Bytes of a name.
const LONGEST_NAME: usize = 64;

/// A token's name and what it is to give.
#[derive(Clone, Debug)]
pub struct NewToken {
    pub name: String,
    pub rights: Rights,
    pub expires: Option<Micros>,
}

/// Whom a token gives what.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TokenView {
    pub id: String,
    pub name: String,
    #[schemars(with = "String", extend("enum" = ["viewer", "operator", "editor", "admin"]))]
    pub role: Role,
    /// Empty for every area.
    #[schemars(with = "Vec<String>")]
    pub scopes: Vec<Scope>,
    pub status: TokenStatus,
    /// RFC 3339, as are the other times.
    pub created: String,
    pub created_by: String,
    pub expires: Option<String>,
    /// To the minute.
    pub last_used: Option<String>,
    pub revoked: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokenStatus {
    Active,
    Expired,
    Revoked,
}

/// A token that was just made, with its text.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct CreatedTokenView {
    /// Shown this once.
    pub token: String,
    #[serde(flatten)]
    pub view: TokenView,
}

impl std::fmt::Debug for CreatedTokenView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedTokenView").field("view", &self.view).finish_non_exhaustive()
    }
}

/// When a token runs out that is good for as long as `text` says, such as `30d`.
///
/// # Errors
/// The user's: `invalid-token`.
pub fn expiry(host: &Host, text: &str) -> Result<Micros> {
    let wrong = |why| Error::user("invalid-token", why, "say how long the token is good, as in `30d` or `12h`");
    let duration = parse_duration(text).map_err(wrong)?;
    Ok(host.clock.now().saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
}

/// Makes a token for someone who holds `giver`.
///
/// # Errors
/// The user's: `forbidden` for more rights than the giver's, `invalid-token` for a name or time that will not do,
/// `token-conflict` where the name is taken.
pub async fn create(host: &Host, new: NewToken, giver: &Rights, actor: &str) -> Result<CreatedTokenView> {
    if !giver.covers(&new.rights) {
        let message = format!("a token with the role `{}` would give more than you hold", shown(&new.rights));
        let hint = format!("you hold `{}`; ask for no more than that", shown(giver));
        return Err(Error::user("forbidden", message, hint));
    }
    check(host, &new)?;
    let name = new.name.clone();
    make(host, new, false, actor).await?.ok_or_else(|| {
        let message = format!("there is a token `{name}` already");
        Error::user("token-conflict", message, "choose another name, or revoke that one first")
    })
}

/// Makes the token that everything begins with, where the project never had one.
pub async fn create_first(host: &Host, actor: &str) -> Result<Option<CreatedTokenView>> {
    let new = NewToken { name: FIRST.to_owned(), rights: Rights::of(Role::Admin), expires: None };
    make(host, new, true, actor).await
}

/// All of them, the newest first.
pub async fn list(host: &Host) -> Result<Vec<TokenView>> {
    let now = host.clock.now();
    host.store.tokens().await?.into_iter().map(|row| Ok(Token::of(row)?.view(now))).collect()
}

/// Takes a token back: whoever shows it is refused within seconds. One that is revoked already stays so.
///
/// # Errors
/// The user's: `unknown-token`; `last-admin-conflict` without `force` where nobody could give access afterwards.
pub async fn revoke(host: &Host, id: &str, force: bool, actor: &str) -> Result<TokenView> {
    let now = host.clock.now();
    let stamp = Stamp { time: now, actor: actor.to_owned() };
    match host.store.revoke_token(id, force, stamp).await? {
        TokenRevoked::Revoked(row) | TokenRevoked::Already(row) => Ok(Token::of(row)?.view(now)),
        TokenRevoked::Unknown => {
            let id: String = id.chars().take(100).collect();
            Err(Error::user("unknown-token", format!("there is no token `{id}`"), "`wasmlops token list` shows them"))
        }
        TokenRevoked::LastAdmin(row) => {
            let message = format!("`{}` is the last token that can give access", row.name);
            let hint = "make another with the role `admin` first, or use `wasmlops token revoke --force` on the server";
            Err(Error::user("last-admin-conflict", message, hint))
        }
    }
}

/// A token as the store has it, with what it means.
pub(super) struct Token {
    pub name: String,
    pub rights: Rights,
    pub expires: Option<Micros>,
    row: TokenRow,
}

impl Token {
    pub fn of(row: TokenRow) -> Result<Self> {
        let role = row.role.parse().map_err(Error::bug)?;
        let scopes = serde_json::from_str(&row.scopes).map_err(Error::bug)?;
        Ok(Self { name: row.name.clone(), rights: Rights { role, scopes }, expires: row.expires, row })
    }

    fn view(self, now: Micros) -> TokenView {
        let Self { name, rights, row, .. } = self;
        let status = match (row.revoked, row.is_good(now)) {
            (Some(_), _) => TokenStatus::Revoked,
            (None, true) => TokenStatus::Active,
            (None, false) => TokenStatus::Expired,
        };
        TokenView {
            id: row.id,
            name,
            role: rights.role,
            scopes: rights.scopes,
            status,
            created: rfc3339(row.created),
            created_by: row.created_by,
            expires: row.expires.map(rfc3339),
            last_used: row.last_used.map(rfc3339),
            revoked: row.revoked.map(rfc3339),
        }
    }
}

/// Lower-case hex, as the store has hashes.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check(host: &Host, new: &NewToken) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
    if new.name.is_empty() || new.name.len() > LONGEST_NAME || !new.name.bytes().all(allowed) {
        let name: String = new.name.chars().take(100).collect();
        let message = format!("`{name}` is no name for a token");
        let hint = format!("use 1 to {LONGEST_NAME} letters, digits, `-`, `_`, `.` and `@`");
        return Err(Error::user("invalid-token", message, hint));
    }
    if new.expires.is_some_and(|expires| expires <= host.clock.now()) {
        return Err(Error::user("invalid-token", "the token would have run out already", "name a later time"));
    }
    Ok(())
}

/// Nothing where the name is taken, or the first token is not the first.
async fn make(host: &Host, new: NewToken, first: bool, actor: &str) -> Result<Option<CreatedTokenView>> {
    let (mut secret, mut id) = (Zeroizing::new([0; SECRET]), [0; 4]);
    let random = SystemRandom::new();
    let filled = random.fill(&mut *secret).and_then(|()| random.fill(&mut id));
    filled.map_err(|_| Error::Host("the system gives no random bytes".to_owned()))?;
    let token = format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(*secret));
    let NewToken { name, mut rights, expires } = new;
    rights.scopes.sort();
    rights.scopes.dedup();
    let stamp = Stamp { time: host.clock.now(), actor: actor.to_owned() };
    let row = TokenRow {
        id: hex(&id),
        name: name.clone(),
        role: rights.role.to_string(),
        scopes: serde_json::to_string(&rights.scopes).map_err(Error::bug)?,
        administers: rights.may(Permission::new(Area::Access, Level::Administer)),
        created: stamp.time,
        created_by: actor.to_owned(),
        expires,
        last_used: None,
        revoked: None,
    };
    let to_store = store::NewToken {
        id: row.id.clone(),
        name,
        hash: hex(&Sha256::digest(token.as_bytes())),
        role: row.role.clone(),
        scopes: row.scopes.clone(),
        administers: row.administers,
        expires,
        first,
        stamp,
    };
    match host.store.create_token(to_store).await? {
        TokenCreated::Created => Ok(Some(CreatedTokenView { token, view: Token::of(row)?.view(host.clock.now()) })),
        TokenCreated::NameTaken | TokenCreated::NotFirst => Ok(None),
    }
}

/// `operator (runs, models:read)`.
fn shown(rights: &Rights) -> String {
    let scopes: Vec<String> = rights.scopes.iter().map(ToString::to_string).collect();
    match scopes.is_empty() {
        true => rights.role.to_string(),
        false => format!("{} ({})", rights.role, scopes.join(", ")),
    }
}
