//! What a step may touch: asked by the plugin, granted by the pipeline, allowed by the project. Whatever lacks one of
//! the three is reported with the side that is missing.

use serde_json::Value;

use crate::config::{Credential, Origin, Policy, ProjectPath, Spanned, Step, listed, secret_references};
use crate::diagnostics::{Problems, Span};
use crate::graph::plugins::Chosen;

/// The capability of reading the project's files.
const READ: &str = "read";

/// The capability of calling out, through the host's broker.
const HTTP: &str = "http";

/// The capability of driving the project's endpoints.
const ENDPOINTS: &str = "endpoints";

/// Secrets, in the configuration or in headers.
const SECRETS: &str = "secrets";

/// The keyword that marks a configuration's text as the path of a file.
const PATH_KEYWORD: &str = "x-wasmlops-path";

/// Schemas come from plugins, and may be built to be walked for ever.
const MAX_VISITS: usize = 10_000;

/// What a step may touch, each list sorted.
#[derive(Clone, Default)]
pub(super) struct Grants {
    pub read: Vec<ProjectPath>,
    pub http: Vec<Origin>,
    pub endpoints: Vec<String>,
    /// Headers with secrets: the step's own, and those that the project adds to what it may call.
    pub credentials: Vec<Credential>,
    pub secrets: Vec<String>,
}

/// The step's grants; reports those that the plugin does not ask for or the project does not allow.
pub(super) fn effective(step: &Step, chosen: &Chosen<'_>, policy: &Policy, problems: &mut Problems<'_>) -> Grants {
    check_secrets_allowed(step, policy, problems);
    let mut check = Check { step, chosen, problems };
    Grants {
        credentials: credentials(step, policy),
        secrets: secrets(step),
        read: check.kind(
            READ,
            &step.grants.read,
            |path| policy.read.iter().any(|allowed| allowed.covers(path)),
            || ("reading", format!("`policy.read` in the project file allows {}", names(&policy.read))),
        ),
        http: check.kind(
            HTTP,
            &step.grants.http,
            |origin| policy.http.contains(origin),
            || ("calling", policy_hint(HTTP, &policy.http)),
        ),
        endpoints: check.kind(
            ENDPOINTS,
            &step.grants.endpoints,
            |name| policy.endpoints.contains(name),
            || ("endpoint", policy_hint(ENDPOINTS, &policy.endpoints)),
        ),
    }
}

/// Reports secrets that the project does not let its pipelines use. A header that the project file itself puts in needs
/// no other word.
fn check_secrets_allowed(step: &Step, policy: &Policy, problems: &mut Problems<'_>) {
    let sent = step.grants.credentials.iter();
    let sent = sent.filter(|credential| !policy.credentials.contains(&credential.value));
    let named = step.grants.secrets.iter().map(|name| (name.value.as_str(), name.span));
    for (name, span) in named.chain(sent.map(|credential| (credential.value.secret.as_str(), credential.span))) {
        if !policy.secrets.iter().any(|allowed| allowed == name) {
            let step = &step.name.value;
            let message =
                format!("step `{step}` grants the secret `{name}`, which the project's policy does not allow");
            problems.add_with_hint("grant-beyond-policy", span, message, policy_hint(SECRETS, &policy.secrets));
        }
    }
}

/// The step's own headers win over those of the project.
fn credentials(step: &Step, policy: &Policy) -> Vec<Credential> {
    let mut credentials: Vec<Credential> =
        step.grants.credentials.iter().map(|credential| credential.value.clone()).collect();
    for credential in &policy.credentials {
        let called = step.grants.http.iter().any(|origin| origin.value == credential.origin);
        let same = |own: &Credential| own.origin == credential.origin && own.header == credential.header;
        if called && !credentials.iter().any(same) {
            credentials.push(credential.clone());
        }
    }
    credentials.sort();
    credentials.dedup();
    credentials
}

fn secrets(step: &Step) -> Vec<String> {
    let mut secrets: Vec<String> = step.grants.secrets.iter().map(|name| name.value.clone()).collect();
    secrets.sort();
    secrets.dedup();
    secrets
}

/// Reports secrets that the configuration names and the step was not granted.
pub(super) fn check_secrets(step: &Step, config: &Value, span_of: &dyn Fn(&str) -> Span, problems: &mut Problems<'_>) {
    for (path, name) in secret_references(config) {
        if step.grants.secrets.iter().any(|granted| granted.value == name) {
            continue;
        }
        let message =
            format!("step `{}`: `{path}` takes the secret `{name}`, which it was not granted", step.name.value);
        let hint = match step.grants.secrets.as_slice() {
            [] => format!("add `grants: {{ secrets: [{name}] }}` to the step"),
            _ => format!("add `{name}` to the step's `grants.secrets`"),
        };
        problems.add_with_hint("secret-not-granted", span_of(&path), message, hint);
    }
}

fn policy_hint(key: &str, allowed: &[impl ToString]) -> String {
    match allowed {
        [] => format!("`policy.{key}` in the project file allows none: list it there"),
        _ => format!("`policy.{key}` in the project file allows {}", names(allowed)),
    }
}

fn names(items: &[impl ToString]) -> String {
    let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    listed(texts.iter().map(String::as_str))
}

struct Check<'a, 'p> {
    step: &'a Step,
    chosen: &'a Chosen<'a>,
    problems: &'a mut Problems<'p>,
}

impl Check<'_, '_> {
    /// The three sides of one capability. `beyond` says what a grant is called, and what the policy allows.
    fn kind<T: Clone + Ord + std::fmt::Display>(
        &mut self,
        capability: &str,
        granted: &[Spanned<T>],
        allowed: impl Fn(&T) -> bool,
        beyond: impl Fn() -> (&'static str, String),
    ) -> Vec<T> {
        let (name, plugin) = (&self.step.name.value, self.chosen.plugin);
        let asked = plugin.manifest.capabilities.iter().any(|known| known.name == capability);
        if let Some(first) = granted.first().filter(|_| !asked) {
            let message = format!(
                "step `{name}` grants `{capability}`, which `{}` {} does not ask for",
                plugin.name, plugin.version
            );
            self.problems.add_with_hint("grant-not-asked", first.span, message, "remove the grant");
        }
        for grant in granted.iter().filter(|grant| !allowed(&grant.value)) {
            let (what, hint) = beyond();
            let message =
                format!("step `{name}` grants {what} `{}`, which the project's policy does not allow", grant.value);
            self.problems.add_with_hint("grant-beyond-policy", grant.span, message, hint);
        }
        let mut grants: Vec<_> = granted.iter().map(|grant| grant.value.clone()).collect();
        grants.sort();
        grants.dedup();
        grants
    }
}

/// Reports paths in the configuration that the step's grants do not cover. `span_of` finds the place of a dotted path.
pub(super) fn check_paths(
    step: &Step,
    chosen: &Chosen<'_>,
    config: &Value,
    span_of: &dyn Fn(&str) -> Span,
    problems: &mut Problems<'_>,
) {
    let mut walk = Walk { root: &chosen.manifest.config, visits: 0, found: Vec::new() };
    walk.visit(walk.root, config, &mut Vec::new());
    for (path, text) in walk.found {
        match text.parse::<ProjectPath>() {
            Err(error) => problems.add_with_hint(
                "invalid-path",
                span_of(&path),
                format!("`{path}`: {error}"),
                "put the file into the project, and grant it with `grants: { read: [...] }`",
            ),
            Ok(file) if step.grants.read.iter().any(|granted| granted.value.covers(&file)) => {}
            Ok(file) => {
                let message = format!("step `{}` reads `{file}`, which it was not granted", step.name.value);
                let folder = file.as_str().rsplit_once('/').map_or(file.as_str(), |(folder, _)| folder);
                let hint = match step.grants.read.as_slice() {
                    [] => format!("add `grants: {{ read: [{folder}] }}` to the step"),
                    _ => format!("add `{folder}` to the step's `grants.read`"),
                };
                problems.add_with_hint("path-not-granted", span_of(&path), message, hint);
            }
        }
    }
}

/// Follows a schema and a value side by side, and collects the texts that the schema marks as paths.
struct Walk<'a> {
    root: &'a Value,
    visits: usize,
    found: Vec<(String, &'a str)>,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, schema: &'a Value, value: &'a Value, path: &mut Vec<String>) {
        self.visits += 1;
        if self.visits > MAX_VISITS || path.len() > 64 {
            return;
        }
        if schema.get(PATH_KEYWORD).and_then(Value::as_str) == Some(READ)
            && let Some(text) = value.as_str()
        {
            let found = (path.join("."), text);
            if !self.found.contains(&found) {
                self.found.push(found);
            }
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|name| self.definition(name)) {
            self.visit(target, value, path);
        }
        for keyword in ["anyOf", "oneOf", "allOf"] {
            let branches = schema.get(keyword).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            branches.iter().for_each(|branch| self.visit(branch, value, path));
        }
        match value {
            Value::Object(members) => self.members(schema, members, path),
            Value::Array(items) => self.items(schema, items, path),
            _ => {}
        }
    }

    fn members(&mut self, schema: &'a Value, members: &'a serde_json::Map<String, Value>, path: &mut Vec<String>) {
        for (name, member) in members {
            let own = schema.get("properties").and_then(|properties| properties.get(name));
            if let Some(schema) = own.or_else(|| schema.get("additionalProperties")) {
                path.push(name.clone());
                self.visit(schema, member, path);
                path.pop();
            }
        }
    }

    fn items(&mut self, schema: &'a Value, items: &'a [Value], path: &mut Vec<String>) {
        for (at, item) in items.iter().enumerate() {
            let own = schema.get("prefixItems").and_then(|prefix| prefix.get(at));
            if let Some(schema) = own.or_else(|| schema.get("items")) {
                path.push(at.to_string());
                self.visit(schema, item, path);
                path.pop();
            }
        }
    }

    /// What `#/$defs/Name` stands for.
    fn definition(&self, reference: &str) -> Option<&'a Value> {
        self.root.pointer(reference.strip_prefix('#')?)
    }
}
