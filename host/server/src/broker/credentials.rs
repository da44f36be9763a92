//! Headers with secrets, which the broker puts into requests so that no guest has to know them.

use std::collections::BTreeMap;

use reqwest::header::HeaderValue;
use wasmlops_core::call::{HttpFailure, HttpRequest, HttpResponse};
use wasmlops_core::config::{Credential, Origin};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::secrets::Redactor;

/// What one caller's requests get, by origin. The default adds nothing.
#[derive(Clone, Default)]
pub struct Credentials {
    by_origin: BTreeMap<Origin, Vec<Header>>,
    redactor: Redactor,
}

/// A header's name and value.
type Header = (String, Zeroizing<String>);

impl Credentials {
    /// # Errors
    /// The user's: a secret that cannot stand in a header.
    pub(crate) fn add(&mut self, credential: &Credential, secret: &str) -> Result<()> {
        let value = Zeroizing::new(credential.filled(secret));
        if HeaderValue::from_str(&value).is_err() {
            let message = format!("secret `{}` cannot stand in the header `{}`", credential.secret, credential.header);
            let hint = "set it again without line breaks and other control characters";
            return Err(Error::user("invalid-secret", message, hint));
        }
        self.by_origin.entry(credential.origin.clone()).or_default().push((credential.header.clone(), value));
        Ok(())
    }

    /// With the values that no answer may bring to the guest.
    pub(crate) fn watched_by(self, redactor: Redactor) -> Self {
        Self { redactor, ..self }
    }

    /// The request with the headers of its origin. Those of the guest by such a name are taken out, wherever they go.
    pub(super) fn put_into(&self, origin: Option<&Origin>, mut request: HttpRequest) -> HttpRequest {
        let owned = |name: &str| self.by_origin.values().flatten().any(|(own, _)| own.eq_ignore_ascii_case(name));
        request.headers.retain(|(name, _)| !owned(name));
        let own = origin.and_then(|origin| self.by_origin.get(origin)).into_iter().flatten();
        request.headers.extend(own.map(|(name, value)| (name.clone(), value.as_bytes().to_vec())));
        request
    }

    /// Refuses an answer that tells the guest what it was not to know: some servers send back what they were sent.
    pub(super) fn check(&self, response: HttpResponse) -> Result<HttpResponse, HttpFailure> {
        let told = |bytes: &[u8]| self.redactor.finds(bytes);
        if told(&response.body) || response.headers.iter().any(|(name, value)| told(name.as_bytes()) || told(value)) {
            return Err(HttpFailure::Denied("the answer holds a secret that was sent with the request".to_owned()));
        }
        Ok(response)
    }
}
