//! Who may use the project's server, beside the holders of its tokens.

use crate::access::Role;
use crate::config::reader::Reader;
use crate::config::step::one_or_many;
use crate::config::yaml::{Entry, Node};
use crate::config::{Origin, keys};

/// The `access` of a project file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AccessConfig {
    pub oidc: Option<OidcConfig>,
}

/// An OpenID Connect provider whose JWTs are taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OidcConfig {
    /// As the `iss` claim has it, to the letter.
    pub issuer: String,
    /// The `aud` claim names one of these.
    pub audience: Vec<String>,
    /// Where its keys are; without it, the issuer's discovery document says so.
    pub jwks: Option<String>,
    pub roles: RoleClaim,
}

/// Which claim gives which role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoleClaim {
    /// A text or a list of texts: its name, or the path to it as in `realm_access.roles`.
    pub claim: String,
    /// Values of the claim and the roles that they give. Without it, the values are roles' names.
    pub map: Option<Vec<(String, Role)>>,
}

/// Reads the entry `access`.
pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry) -> Option<AccessConfig> {
    let fields = reader.fields(&entry.node, "`access`", entry.key_span, keys::ACCESS)?;
    let oidc = match fields.entry("oidc") {
        Some(entry) => Some(read_oidc(reader, entry)?),
        None => None,
    };
    Some(AccessConfig { oidc })
}

fn read_oidc(reader: &mut Reader<'_>, entry: &Entry) -> Option<OidcConfig> {
    let fields = reader.fields(&entry.node, "`oidc`", entry.key_span, keys::OIDC)?;
    let issuer = fields.get("issuer").and_then(|node| reader.parsed(node, "`issuer`", "wrong-value", trusted_url));
    let audience = fields.get("audience").map(|node| {
        let texts = one_or_many(node).iter().filter_map(|node| reader.text(node, "`audience`"));
        texts.map(str::to_owned).collect::<Vec<_>>()
    });
    if let (Some(node), Some([])) = (fields.get("audience"), audience.as_deref()) {
        reader.problem("wrong-value", node.span, "`audience` names nobody");
    }
    let jwks = fields.get("jwks").map(|node| reader.parsed(node, "`jwks`", "wrong-value", trusted_url));
    let roles = fields.entry("roles").and_then(|entry| read_roles(reader, entry));
    let jwks = match jwks {
        Some(url) => Some(url?.value),
        None => None,
    };
    Some(OidcConfig { issuer: issuer?.value, audience: audience?, jwks, roles: roles? })
}

fn read_roles(reader: &mut Reader<'_>, entry: &Entry) -> Option<RoleClaim> {
    let fields = reader.fields(&entry.node, "`roles`", entry.key_span, keys::OIDC_ROLES)?;
    let claim = fields.get("claim").and_then(|node| reader.text(node, "`claim`")).map(str::to_owned);
    let map = match fields.get("map") {
        Some(node) => Some(read_map(reader, node)?),
        None => None,
    };
    Some(RoleClaim { claim: claim?, map })
}

fn read_map(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<(String, Role)>> {
    let entries = reader.entries(node, "`map`")?;
    let role = |entry: &Entry| {
        let role = reader.parsed(&entry.node, &format!("the role of `{}`", entry.key), "wrong-value", str::parse)?;
        Some((entry.key.clone(), role.value))
    };
    let roles: Vec<_> = entries.iter().filter_map(role).collect();
    (roles.len() == entries.len()).then_some(roles)
}

/// Who reads along on the way could put keys of their own in: only this machine does without TLS.
fn trusted_url(text: &str) -> Result<String, String> {
    let wrong =
        || format!("`{}` is not a URL such as `https://id.example.org`", text.chars().take(200).collect::<String>());
    let origin = Origin::of_url(text).ok_or_else(wrong)?;
    let host = origin.as_str().strip_prefix("http://");
    let name = host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    match name {
        Some("localhost" | "127.0.0.1" | "[::1]") | None if !text.contains(['?', '#', ' ']) => Ok(text.to_owned()),
        None => Err(wrong()),
        Some(_) => Err(format!("`{text}` must begin with `https://`: its keys decide who comes in")),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::parse_project;

    use super::*;

    fn parse(access: &str) -> Result<AccessConfig, String> {
        let text = format!("project: p\naccess: {access}\n");
        parse_project("wasmlops.yaml", &text).map(|project| project.access).map_err(|found| found.to_string())
    }

    #[test]
    fn a_provider_is_read() {
        let text = "{ oidc: { issuer: \"https://id.example.org/x\", audience: wasmlops, \
                    roles: { claim: groups, map: { ml-admins: admin, ml: operator } } } }";
        let oidc = parse(text).unwrap().oidc.unwrap();
        assert_eq!(
            (oidc.issuer.as_str(), oidc.audience.as_slice()),
            ("https://id.example.org/x", &["wasmlops".to_owned()][..])
        );
        let map = vec![("ml-admins".to_owned(), Role::Admin), ("ml".to_owned(), Role::Operator)];
        assert_eq!(oidc.roles, RoleClaim { claim: "groups".to_owned(), map: Some(map) });
        assert_eq!(parse("{}").unwrap(), AccessConfig::default());
    }

    #[test]
    fn every_mistake_is_said() {
        let text =
            "{ oidc: { issuer: \"http://id.example.org\", audience: [], jwks: nowhere, roles: { map: { a: root } } } }";
        let found = parse(text).unwrap_err();
        for part in
            ["must begin with `https://`", "names nobody", "`nowhere` is not a URL", "`root` is no role", "`claim`"]
        {
            assert!(found.contains(part), "`{part}` is not in {found}");
        }
        for issuer in ["http://localhost:8080", "http://127.0.0.1:1", "https://a/b"] {
            assert_eq!(trusted_url(issuer).as_deref(), Ok(issuer));
        }
        for issuer in ["", "https://", "https://a?b", "ftp://a", "http://localhost.example.org", "https://user@a"] {
            assert!(trusted_url(issuer).is_err(), "{issuer}");
        }
    }
}
