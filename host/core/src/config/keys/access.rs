//! The keys of `access`.

use serde_json::json;

use super::{Key, object, one_or_many, optional, required, text};

pub(in crate::config) const ACCESS: &[Key] =
    &[optional("oidc", "an OpenID Connect provider whose JWTs are taken beside tokens", || object(OIDC))];

pub(in crate::config) const OIDC: &[Key] = &[
    required("issuer", "the provider, as its tokens name it: `https://id.example.org`", text),
    required("audience", "whom tokens must be made for: `wasmlops`", one_or_many),
    optional("jwks", "the URL of its keys; without it, its discovery document says where they are", text),
    required("roles", "which claim gives which role", || object(OIDC_ROLES)),
];

pub(in crate::config) const OIDC_ROLES: &[Key] = &[
    required("claim", "the claim's name, or the path to it: `groups`, `realm_access.roles`", text),
    optional("map", "roles by the claim's values; without it, the values are roles", || {
        json!({
            "type": "object",
            "additionalProperties": {"type": "string", "enum": ["viewer", "operator", "editor", "admin"]},
        })
    }),
];
