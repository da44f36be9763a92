//! What a step may touch: asked by the plugin, granted by the pipeline, allowed by the project. Whatever lacks one of
//! the three is reported with the side that is missing.

use serde_json::Value;

use crate::config::{Policy, ProjectPath, Step, listed};
use crate::diagnostics::{Problems, Span};
use crate::graph::plugins::Chosen;

/// The capability of reading the project's files.
const READ: &str = "read";

/// The keyword that marks a configuration's text as the path of a file.
const PATH_KEYWORD: &str = "x-wasmlops-path";

/// Schemas come from plugins, and may be built to be walked for ever.
const MAX_VISITS: usize = 10_000;

/// The step's grants, sorted; reports those that the plugin does not ask for or the project does not allow.
pub(super) fn effective(
    step: &Step,
    chosen: &Chosen<'_>,
    policy: &Policy,
    problems: &mut Problems<'_>,
) -> Vec<ProjectPath> {
    let asked = chosen.plugin.manifest.capabilities.iter().any(|capability| capability.name == READ);
    if let Some(first) = step.read.first().filter(|_| !asked) {
        let (name, plugin) = (&step.name.value, chosen.plugin);
        let message =
            format!("step `{name}` grants `read`, which `{}` {} does not ask for", plugin.name, plugin.version);
        problems.add_with_hint("grant-not-asked", first.span, message, "remove the grant");
    }
    for path in &step.read {
        if !policy.read.iter().any(|allowed| allowed.covers(&path.value)) {
            let message = format!(
                "step `{}` grants reading `{}`, which the project's policy does not allow",
                step.name.value, path.value
            );
            let allowed = listed(policy.read.iter().map(ProjectPath::as_str));
            let hint = format!("`policy.read` in the project file allows {allowed}");
            problems.add_with_hint("grant-beyond-policy", path.span, message, hint);
        }
    }
    let mut paths: Vec<_> = step.read.iter().map(|path| path.value.clone()).collect();
    paths.sort();
    paths.dedup();
    paths
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
            Ok(file) if step.read.iter().any(|granted| granted.value.covers(&file)) => {}
            Ok(file) => {
                let message = format!("step `{}` reads `{file}`, which it was not granted", step.name.value);
                let folder = file.as_str().rsplit_once('/').map_or(file.as_str(), |(folder, _)| folder);
                let hint = match step.read.as_slice() {
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
