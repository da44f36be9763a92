//! The secrets of one attempt at a step.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use wasmlops_core::config::with_secrets;
use wasmlops_core::graph::BoundStep;
use zeroize::Zeroizing;

use super::{Redactor, reveal, unknown};
use crate::broker::Credentials;
use crate::error::{Error, Result};
use crate::host::Host;

/// Values that a step was granted. Shown without them.
#[derive(Clone, Default)]
pub struct Revealed {
    /// Those that its configuration may name.
    given: Arc<BTreeMap<String, Zeroizing<String>>>,
    /// What must not be seen of these and of what the broker sends.
    redactor: Redactor,
}

/// Everything secret that an attempt at the step needs: what its configuration names, and what the broker puts into its
/// requests.
///
/// # Errors
/// The user's: a secret that is not there, that is no text, or whose key is missing.
pub async fn for_step(host: &Host, step: &BoundStep) -> Result<(Revealed, Credentials)> {
    let mut values: BTreeMap<&str, Zeroizing<String>> = BTreeMap::new();
    let sent = step.credentials.iter().map(|credential| credential.secret.as_str());
    for name in step.secrets.iter().map(String::as_str).chain(sent) {
        if !values.contains_key(name) {
            values.insert(name, text(host, name).await?);
        }
    }
    let mut credentials = Credentials::default();
    for credential in &step.credentials {
        credentials.add(credential, &values[credential.secret.as_str()])?;
    }
    let redactor = Redactor::new(values.values().map(|value| value.as_bytes()));
    let given = step.secrets.iter().filter_map(|name| Some((name.clone(), values.get(name.as_str())?.clone())));
    Ok((Revealed { given: Arc::new(given.collect()), redactor: redactor.clone() }, credentials.watched_by(redactor)))
}

async fn text(host: &Host, name: &str) -> Result<Zeroizing<String>> {
    let value = reveal(host, name).await?.ok_or_else(|| unknown(name))?;
    match std::str::from_utf8(&value) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => {
            let message = format!("secret `{name}` is no text, as configurations and headers need it");
            Err(Error::user("invalid-secret", message, "set it again in a form that is text, such as base64"))
        }
    }
}

impl Revealed {
    /// The configuration with values in the places of names: for the guest, and for nobody else.
    pub fn fill(&self, config: &Value) -> Value {
        match self.given.is_empty() {
            true => config.clone(),
            false => with_secrets(config, &|name| self.given.get(name).map(|value| value.to_string())),
        }
    }

    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }
}

impl fmt::Debug for Revealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.given.keys()).finish()
    }
}
