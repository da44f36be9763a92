//! Which column becomes what: the configuration held against a table's columns. The door is [`plan`].

mod settings;

use wasmlops_sdk::{DataType, Error, Field, Result, Schema};

use crate::config::{Config, Encoding, Interaction};
use crate::problems::{Fault, Problems};
use crate::state::Role;
use crate::time;
pub use settings::Settings;

/// A column to make features of.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    pub index: usize,
    pub name: String,
    pub role: Role,
    /// `None`: as the values suggest.
    pub encodings: Option<Vec<Encoding>>,
}

/// What the configuration says, with every default filled in.
#[derive(Debug)]
pub struct Plan {
    /// In the order of the features.
    pub columns: Vec<Planned>,
    pub settings: Settings,
    /// The columns that tell rows apart.
    pub key: Vec<String>,
}

/// Holds the configuration against the columns.
///
/// Errors: `invalid-config` with everything that is wrong with it; `invalid-input` for columns of a type that gives no
/// features, all of them at once.
pub fn plan(config: &Config, schema: &Schema) -> Result<Plan> {
    let mut problems = Problems::default();
    let settings = Settings::of(config, &mut problems);
    check_names(config, schema, &mut problems);
    let columns = chosen(config, schema);
    check_encodings(config, schema, &columns, &settings, &mut problems);
    check_interactions(config, schema, &mut problems);
    problems.refuse_config()?;
    if columns.is_empty() && config.interactions.is_empty() {
        let hint = "hint: name `columns`, or take some out of `drop` and `pass_through`";
        return Err(Error::invalid_config("columns", format!("no column is left to make features of\n{hint}")));
    }
    let columns: Vec<&Field> = columns.iter().map(|&index| &schema.fields[index]).collect();
    refuse_types(&columns)?;
    let key = key(config, &columns);
    let columns = columns.iter().filter_map(|field| planned(config, &settings, schema, field)).collect();
    Ok(Plan { columns, settings, key })
}

/// Every name in the configuration with the key it stands under.
fn named(config: &Config) -> Vec<(&'static str, &str)> {
    let target = config.target.as_slice();
    let columns = config.columns.as_deref().unwrap_or_default();
    let keys =
        [("target", target), ("columns", columns), ("drop", &config.drop), ("pass_through", &config.pass_through)];
    keys.iter().flat_map(|&(key, names)| names.iter().map(move |name| (key, name.as_str()))).collect()
}

fn check_names(config: &Config, schema: &Schema, problems: &mut Problems) {
    let named = named(config);
    let key = config.target_encoding.cross_fit.key.iter().flatten();
    let all = named
        .iter()
        .copied()
        .chain(config.encode.keys().map(|name| ("encode", name.as_str())))
        .chain(config.interactions.iter().flat_map(operands).map(|name| ("interactions", name.as_str())))
        .chain(key.map(|name| ("target_encoding.cross_fit.key", name.as_str())));
    let unknown: Vec<_> = all.filter(|(_, name)| schema.index_of(name).is_none()).collect();
    if let Some(&(key, _)) = unknown.first() {
        let names: Vec<String> = unknown.iter().map(|(key, name)| format!("`{name}` (in `{key}`)")).collect();
        let hint = format!("the table has {}", schema.names_for_message());
        problems.add(key, Fault::new(format!("no such column: {}", names.join(", ")), hint));
    }
    for (position, &(key, name)) in named.iter().enumerate() {
        if let Some((first, _)) = named[..position].iter().find(|(_, earlier)| *earlier == name) {
            let place =
                if *first == key { format!("twice under `{key}`") } else { format!("under `{first}` and `{key}`") };
            let hint = "a column is the target, a feature, dropped or passed through: name it once";
            problems.add(key, Fault::new(format!("column `{name}` stands {place}"), hint));
        }
    }
}

fn chosen(config: &Config, schema: &Schema) -> Vec<usize> {
    match &config.columns {
        Some(names) => names.iter().filter_map(|name| schema.index_of(name)).collect(),
        None => {
            let named = named(config);
            let free = |name: &str| named.iter().all(|(_, other)| *other != name);
            schema.names().enumerate().filter(|(_, name)| free(name)).map(|(index, _)| index).collect()
        }
    }
}

fn check_encodings(config: &Config, schema: &Schema, chosen: &[usize], settings: &Settings, problems: &mut Problems) {
    for (name, encodings) in &config.encode {
        let Some(index) = schema.index_of(name) else { continue };
        let key = format!("encode.{name}");
        if !chosen.contains(&index) {
            let hint = "an encoding needs a feature: name the column under `columns`, or take it out of `encode`";
            problems.add(&key, Fault::new(format!("column `{name}` is encoded and is no feature"), hint));
        }
        if encodings.is_empty() {
            problems.add(&key, Fault::new(format!("column `{name}` has no encoding"), "to leave it out, use `drop`"));
        }
        let role = Role::of(schema.fields[index].data_type);
        let what = format!("column `{name}` ({})", schema.fields[index].data_type.name());
        check_list(&key, &what, role, encodings, config, problems);
    }
    let lists = [("numbers", &settings.numbers, Role::Number), ("texts", &settings.texts, Role::Text)];
    for (key, list, role) in lists.into_iter().chain([("times", &config.times, Role::Time)]) {
        if let Some(list) = list {
            check_list(key, &format!("`{key}`"), Some(role), list, config, problems);
        }
    }
}

fn check_list(
    key: &str,
    what: &str,
    role: Option<Role>,
    encodings: &[Encoding],
    config: &Config,
    problems: &mut Problems,
) {
    for encoding in encodings {
        let name = encoding.name();
        let fits = role.is_none_or(|role| encoding.fits(role));
        if !fits {
            let takes = encoding.takes();
            problems.add(key, Fault::new(format!("{what} cannot be encoded as `{name}`"), format!("`{name}` {takes}")));
        }
        if *encoding == Encoding::Target && config.target.is_none() {
            problems.add(key, Fault::new(format!("{what} is encoded by the target"), "name the column as `target`"));
        }
        if let Some(fault) = encoding.fault() {
            problems.add(key, Fault { what: format!("{what}: {}", fault.what), ..fault });
        }
    }
}

/// The columns of an interaction.
pub fn operands(interaction: &Interaction) -> &[String] {
    match interaction {
        Interaction::Product(names) | Interaction::Ratio(names) => names,
    }
}

fn check_interactions(config: &Config, schema: &Schema, problems: &mut Problems) {
    let hint = "a product takes two or more columns, a ratio two; all of them numbers or `bool`, none the target";
    for (position, interaction) in config.interactions.iter().enumerate() {
        let (names, key) = (operands(interaction), format!("interactions.{position}"));
        let (fits, word) = match interaction {
            Interaction::Product(_) => (names.len() >= 2, "product"),
            Interaction::Ratio(_) => (names.len() == 2, "ratio"),
        };
        if !fits {
            problems.add(&key, Fault::new(format!("a {word} of {} columns", names.len()), hint));
        }
        for field in names.iter().filter_map(|name| schema.field(name)) {
            let number = matches!(Role::of(field.data_type), Some(Role::Number | Role::Bool));
            if !number || config.target.as_ref() == Some(&field.name) {
                let why = if number { "the target" } else { field.data_type.name() };
                problems.add(&key, Fault::new(format!("column `{}` ({why}) in a {word}", field.name), hint));
            }
        }
    }
}

fn refuse_types(columns: &[&Field]) -> Result<()> {
    let refused = columns.iter().filter(|field| Role::of(field.data_type).is_none());
    let refused: Vec<String> = refused.map(|field| format!("`{}` ({})", field.name, field.data_type.name())).collect();
    if refused.is_empty() {
        return Ok(());
    }
    let hint = "hint: put them under `drop`, or under `pass_through` to keep them as they are";
    Err(Error::invalid_input(format!("no features can be made of {}\n{hint}", refused.join(", "))).at("table"))
}

/// The columns that features are made of are always there when rows come to be encoded.
fn key(config: &Config, columns: &[&Field]) -> Vec<String> {
    if let Some(key) = &config.target_encoding.cross_fit.key {
        return key.clone();
    }
    let mut key: Vec<String> = columns.iter().map(|field| field.name.clone()).collect();
    for name in config.interactions.iter().flat_map(operands) {
        if !key.contains(name) {
            key.push(name.clone());
        }
    }
    key
}

fn planned(config: &Config, settings: &Settings, schema: &Schema, field: &Field) -> Option<Planned> {
    let role = Role::of(field.data_type)?;
    let of_type = || match role {
        Role::Number => settings.numbers.clone(),
        Role::Bool => Some(vec![Encoding::Number]),
        Role::Text => settings.texts.clone(),
        Role::Time => config.times.clone(),
    };
    let encodings = config.encode.get(&field.name).cloned().or_else(of_type);
    Some(Planned { index: schema.index_of(&field.name)?, name: field.name.clone(), role, encodings })
}

impl Role {
    /// What columns of a type hold; `None` where no features can be made of it.
    pub fn of(data_type: DataType) -> Option<Self> {
        match data_type {
            DataType::S64 | DataType::F64 | DataType::F32 => Some(Role::Number),
            DataType::Bool => Some(Role::Bool),
            DataType::Utf8 | DataType::Categorical => Some(Role::Text),
            DataType::Timestamp => Some(Role::Time),
            DataType::Binary => None,
        }
    }
}

impl Encoding {
    /// As in configurations.
    pub fn name(&self) -> &'static str {
        match self {
            Encoding::Number => "number",
            Encoding::Standard => "standard",
            Encoding::MinMax => "min_max",
            Encoding::Robust => "robust",
            Encoding::AsIs => "as_is",
            Encoding::Log1p => "log1p",
            Encoding::Power => "power",
            Encoding::Bins(_) => "bins",
            Encoding::OneHotBins(_) => "one_hot_bins",
            Encoding::OneHot => "one_hot",
            Encoding::Ordinal => "ordinal",
            Encoding::Target => "target",
            Encoding::Frequency => "frequency",
            Encoding::Category => "category",
            Encoding::Length => "length",
            Encoding::Words => "words",
            Encoding::Hash(_) => "hash",
            Encoding::Parts(_) => "parts",
            Encoding::Cycles(_) => "cycles",
            Encoding::Since(_) => "since",
        }
    }

    fn fits(&self, role: Role) -> bool {
        match self.takes() {
            NUMBERS => role == Role::Number,
            NUMBERS_AND_BOOL => matches!(role, Role::Number | Role::Bool),
            VALUES => role != Role::Time,
            TEXT => role == Role::Text,
            _ => role == Role::Time,
        }
    }

    fn takes(&self) -> &'static str {
        match self {
            Encoding::Number | Encoding::AsIs => NUMBERS_AND_BOOL,
            Encoding::Standard | Encoding::MinMax | Encoding::Robust | Encoding::Log1p | Encoding::Power => NUMBERS,
            Encoding::Bins(_) | Encoding::OneHotBins(_) => NUMBERS,
            Encoding::OneHot | Encoding::Ordinal | Encoding::Target => VALUES,
            Encoding::Frequency | Encoding::Category => VALUES,
            Encoding::Length | Encoding::Words | Encoding::Hash(_) => TEXT,
            Encoding::Parts(_) | Encoding::Cycles(_) | Encoding::Since(_) => "takes timestamps",
        }
    }

    /// What is wrong with its options.
    fn fault(&self) -> Option<Fault> {
        use crate::config::Bins;
        match self {
            Encoding::Bins(bins) | Encoding::OneHotBins(bins) => match bins {
                Bins::Quantile(count) | Bins::Width(count) if !(2..=MOST_BINS).contains(count) => {
                    Some(Fault::new(format!("{count} bins"), format!("give a number from 2 to {MOST_BINS}")))
                }
                Bins::Edges(edges) if edges.is_empty() || !edges.is_sorted_by(|one, next| one < next) => {
                    Some(Fault::new("`edges` do not ascend", "give limits, each above the one before it"))
                }
                _ => None,
            },
            Encoding::Hash(hash) if !(1..=MOST_HASHED).contains(&hash.features) => {
                let hint = format!("give a number from 1 to {MOST_HASHED}");
                Some(Fault::new(format!("`hash` to {} features", hash.features), hint))
            }
            Encoding::Parts(parts) if parts.is_empty() => Some(Fault::new("no parts", "name parts, such as `month`")),
            Encoding::Cycles(parts) => match parts.iter().find(|part| part.cycle().is_none()) {
                Some(part) => Some(Fault::new(format!("`{}` has no cycle", part.name()), "name it under `parts`")),
                None if parts.is_empty() => Some(Fault::new("no cycles", "name parts, such as `hour`")),
                None => None,
            },
            Encoding::Since(text) if time::parse(text).is_none() => {
                let hint = "write `2020-01-31`, or `2020-01-31T12:00:00Z`";
                Some(Fault::new(format!("`{text}` is no date"), hint))
            }
            _ => None,
        }
    }
}

const NUMBERS: &str = "takes numbers";
const NUMBERS_AND_BOOL: &str = "takes numbers and `bool`";
const VALUES: &str = "takes text, `bool` and numbers";
const TEXT: &str = "takes text";
/// Beyond these, a feature says less than the column itself.
const MOST_BINS: usize = 1024;
const MOST_HASHED: u32 = 65_536;
