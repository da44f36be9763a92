//! What can go wrong at the catalog's door, by what the caller does about it.

/// Nothing was written where one of these is returned; the transaction can go on.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    #[error("no model `{0}` is registered")]
    UnknownModel(String),
    #[error("model `{name}` has no version {version}")]
    UnknownVersion { name: String, version: u64 },
    #[error("{what} `{text}` is not allowed: {why}")]
    BadName { what: &'static str, text: String, why: &'static str },
    /// Somebody else moved the alias since the caller looked.
    #[error("alias `{alias}` of `{name}` names {}, not {} as expected", shown(*.actual), shown(*.expected))]
    Moved { name: String, alias: String, expected: Option<u64>, actual: Option<u64> },
    #[error("version {version} of `{name}` has no passed gate report to show for it")]
    NoEvidence { name: String, version: u64 },
    #[error("version {version} of `{name}` is {state}")]
    NotApproved { name: String, version: u64, state: crate::Approval },
    #[error("a forced move needs a reason")]
    NoReason,
    #[error("alias `{alias}` of `{name}` named no other version before")]
    NothingBefore { name: String, alias: String },
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl CatalogError {
    /// For programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownModel(_) => "unknown-model",
            Self::UnknownVersion { .. } => "unknown-version",
            Self::BadName { .. } => "invalid-name",
            Self::Moved { .. } => "alias-moved",
            Self::NoEvidence { .. } => "no-evidence",
            Self::NotApproved { .. } => "not-approved",
            Self::NoReason => "no-reason",
            Self::NothingBefore { .. } => "nothing-before",
            Self::Database(_) => "store",
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::UnknownModel(_) => "`wasmlops model list` shows the models".to_owned(),
            Self::UnknownVersion { name, .. } => format!("`wasmlops model show {name}` shows its versions"),
            Self::BadName { .. } => "choose another".to_owned(),
            Self::Moved { name, alias, .. } => format!("`wasmlops model history {name} {alias}` shows who moved it"),
            Self::NoEvidence { .. } => {
                "let a gate judge the model in its pipeline, or move it with `--force --reason TEXT`, which is recorded"
                    .to_owned()
            }
            Self::NotApproved { name, version, .. } => {
                format!("`wasmlops model approve {name}@{version}`, or `--force --reason TEXT`, which is recorded")
            }
            Self::NoReason => "say why with `--reason TEXT`; it is recorded".to_owned(),
            Self::NothingBefore { name, alias } => {
                format!("`wasmlops model alias {name} {alias} VERSION` moves it to any version")
            }
            Self::Database(_) => "see the log".to_owned(),
        }
    }
}

fn shown(version: Option<u64>) -> String {
    version.map_or_else(|| "no version".to_owned(), |version| format!("version {version}"))
}
