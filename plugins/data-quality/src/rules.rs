//! From what the user wrote to expectations of columns that exist. Reads no row. The door is [`Expectation::of`].

use std::fmt;

use wasmlops_sdk::prelude::*;

use crate::config::{ColumnType, Columns, Config, RowRange, Rule, Severity};
use crate::text;

/// Something that the rows must fulfil.
#[derive(Clone, PartialEq, Debug)]
pub struct Expectation {
    /// The key under which the user wrote it; the check's name.
    pub name: &'static str,
    pub severity: Severity,
    /// The one column it is about.
    pub column: Option<usize>,
    pub test: Test,
}

/// What is to be found out.
#[derive(Clone, PartialEq, Debug)]
pub enum Test {
    NoNulls,
    NoNullsInAnyColumn,
    MaxNullFraction(f64),
    Range(Range),
    Allowed(Vec<String>),
    Type(DataType),
    Mean(Range),
    Distinct(Range),
    /// Microseconds, and the text that the user wrote.
    FreshWithin(i64, String),
    /// The columns of the key.
    Unique(Vec<usize>),
    Rows(Range),
    Schema {
        columns: Vec<(String, DataType)>,
        exact: bool,
    },
}

/// Inclusive bounds.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Range {
    pub low: Option<f64>,
    pub high: Option<f64>,
}

impl Range {
    pub fn contains(&self, value: f64) -> bool {
        self.low.is_none_or(|low| value >= low) && self.high.is_none_or(|high| value <= high)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.low, self.high) {
            (Some(low), Some(high)) if low == high => write!(f, "= {low}"),
            (Some(low), Some(high)) => write!(f, ">= {low} and <= {high}"),
            (Some(low), None) => write!(f, ">= {low}"),
            (None, Some(high)) => write!(f, "<= {high}"),
            (None, None) => f.write_str("any"),
        }
    }
}

impl Expectation {
    /// All expectations of a configuration, in its order. A table must have a row unless a rule says how many.
    ///
    /// Errors: `invalid-config` with everything that no table, or not this one, could be held to.
    pub fn of(config: &Config, schema: &Schema) -> Result<Vec<Self>> {
        let mut reader = Reader { schema, expectations: Vec::new(), problems: Vec::new(), unknown_column: false };
        for (index, rule) in config.rules.iter().enumerate() {
            reader.rule(&format!("rules.{index}"), rule);
        }
        if !reader.problems.is_empty() {
            return Err(reader.into_error());
        }
        let mut expectations = reader.expectations;
        if !expectations.iter().any(|expectation| expectation.name == "rows") {
            let test = Test::Rows(Range { low: Some(1.0), high: None });
            expectations.insert(0, Self { name: "rows", severity: Severity::Error, column: None, test });
        }
        Ok(expectations)
    }
}

struct Reader<'a> {
    schema: &'a Schema,
    expectations: Vec<Expectation>,
    /// Key and message.
    problems: Vec<(String, String)>,
    unknown_column: bool,
}

impl Reader<'_> {
    fn rule(&mut self, at: &str, rule: &Rule) {
        let of_column = self.tests_of_column(at, rule);
        let for_table =
            rule.no_nulls.is_some() || rule.unique.is_some() || rule.rows.is_some() || rule.schema.is_some();
        match (&rule.column, of_column.first()) {
            (None, Some((name, _))) => self.problem(at, format!("`{name}` needs a `column`")),
            (None, None) if !for_table => {
                let message = "the rule expects nothing\nhint: add an expectation, such as `no_nulls: \"*\"`";
                self.problem(at, message.to_owned());
            }
            (None, None) => {}
            (Some(_), None) => {
                let message = if for_table {
                    "`column` is not used by this rule\nhint: `no_nulls`, `unique`, `rows` and `schema` do not take it"
                } else {
                    "the rule names a column and expects nothing of it\nhint: add an expectation, such as `min: 0`"
                };
                self.problem(&format!("{at}.column"), message.to_owned());
            }
            (Some(name), Some(_)) => {
                let column = self.column(&format!("{at}.column"), name);
                for (name, test) in of_column {
                    self.expect(name, rule.severity, column, test);
                }
            }
        }
        self.tests_of_table(at, rule);
    }

    /// What the rule expects of its column.
    fn tests_of_column(&mut self, at: &str, rule: &Rule) -> Vec<(&'static str, Test)> {
        let mut tests = Vec::new();
        if let Some(data_type) = rule.data_type {
            tests.push(("type", Test::Type(data_type.into())));
        }
        if let Some(fraction) = rule.max_null_fraction {
            tests.push(("max_null_fraction", Test::MaxNullFraction(fraction)));
        }
        let between = |[low, high]: [f64; 2]| Range { low: Some(low), high: Some(high) };
        for (name, range) in [
            ("between", rule.between.map(between)),
            ("min", rule.min.map(|low| Range { low: Some(low), high: None })),
            ("max", rule.max.map(|high| Range { low: None, high: Some(high) })),
        ] {
            tests.extend(range.map(|range| (name, Test::Range(self.range(&format!("{at}.{name}"), range)))));
        }
        if let Some(range) = rule.mean_between.map(between) {
            tests.push(("mean_between", Test::Mean(self.range(&format!("{at}.mean_between"), range))));
        }
        if let Some(allowed) = &rule.allowed {
            tests.push(("allowed", Test::Allowed(allowed.iter().map(ToString::to_string).collect())));
        }
        if rule.min_distinct.or(rule.max_distinct).is_some() {
            let name = if rule.min_distinct.is_some() { "min_distinct" } else { "max_distinct" };
            let range = counts(rule.min_distinct, rule.max_distinct);
            tests.push((name, Test::Distinct(self.range(&format!("{at}.{name}"), range))));
        }
        if let Some(age) = &rule.fresh_within {
            let micros = text::duration(age);
            if micros.is_none() {
                let message = format!("`{age}` is not a number and a unit, such as `90s`, `30m`, `12h` or `7d`");
                self.problem(&format!("{at}.fresh_within"), message);
            }
            tests.push(("fresh_within", Test::FreshWithin(micros.unwrap_or_default(), age.clone())));
        }
        tests
    }

    /// What the rule expects of the table.
    fn tests_of_table(&mut self, at: &str, rule: &Rule) {
        let severity = rule.severity;
        if let Some(RowRange { min, max }) = rule.rows {
            let range = self.range(&format!("{at}.rows"), counts(min, max));
            self.expect("rows", severity, None, Test::Rows(range));
        }
        if let Some(schema) = &rule.schema {
            let columns = schema.iter().map(|(name, &data_type)| (name.clone(), data_type.into())).collect();
            self.expect("schema", severity, None, Test::Schema { columns, exact: rule.exact.unwrap_or(false) });
        } else if rule.exact.is_some() {
            self.problem(&format!("{at}.exact"), "`exact` needs a `schema`".to_owned());
        }
        match &rule.no_nulls {
            None => {}
            Some(Columns::One(all)) if all == "*" => {
                self.expect("no_nulls", severity, None, Test::NoNullsInAnyColumn);
            }
            Some(columns) => {
                for column in self.columns(&format!("{at}.no_nulls"), columns) {
                    self.expect("no_nulls", severity, Some(column), Test::NoNulls);
                }
            }
        }
        if let Some(columns) = &rule.unique {
            let key = match columns {
                Columns::One(all) if all == "*" => (0..self.schema.fields.len()).collect(),
                columns => self.columns(&format!("{at}.unique"), columns),
            };
            let column = if let [only] = key[..] { Some(only) } else { None };
            self.expect("unique", severity, column, Test::Unique(key));
        }
    }

    fn expect(&mut self, name: &'static str, severity: Severity, column: Option<usize>, test: Test) {
        self.expectations.push(Expectation { name, severity, column, test });
    }

    fn range(&mut self, at: &str, range: Range) -> Range {
        if let (Some(low), Some(high)) = (range.low, range.high)
            && low > high
        {
            self.problem(at, format!("the lower bound {low} is above the upper bound {high}"));
        }
        range
    }

    fn columns(&mut self, at: &str, columns: &Columns) -> Vec<usize> {
        match columns {
            Columns::One(name) => self.column(at, name).into_iter().collect(),
            Columns::Many(names) => {
                let place = |(index, name): (usize, &String)| self.column(&format!("{at}.{index}"), name);
                names.iter().enumerate().filter_map(place).collect()
            }
        }
    }

    fn column(&mut self, at: &str, name: &str) -> Option<usize> {
        let found = self.schema.index_of(name);
        if found.is_none() {
            self.unknown_column = true;
            self.problem(at, format!("there is no column `{name}`"));
        }
        found
    }

    fn problem(&mut self, at: &str, message: String) {
        self.problems.push((at.to_owned(), message));
    }

    /// One error that names all problems, at the place of the first.
    fn into_error(self) -> Error {
        let (first, _) = &self.problems[0];
        let mut message = match self.problems.as_slice() {
            [(_, only)] => only.clone(),
            problems => {
                let lines = problems.iter().map(|(at, message)| format!("\n`{at}`: {}", message.replace('\n', "; ")));
                format!("{} things are wrong with the rules{}", problems.len(), lines.collect::<String>())
            }
        };
        if self.unknown_column {
            message += &format!("\nhint: the table has {}", self.schema.names_for_message());
        }
        Error::invalid_config(first, message)
    }
}

/// Counts as bounds: exact up to 2^53.
fn counts(min: Option<u64>, max: Option<u64>) -> Range {
    Range { low: min.map(|min| min as f64), high: max.map(|max| max as f64) }
}

impl From<ColumnType> for DataType {
    fn from(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::Bool => DataType::Bool,
            ColumnType::S64 => DataType::S64,
            ColumnType::F64 => DataType::F64,
            ColumnType::F32 => DataType::F32,
            ColumnType::Utf8 => DataType::Utf8,
            ColumnType::Binary => DataType::Binary,
            ColumnType::Timestamp => DataType::Timestamp,
            ColumnType::Categorical => DataType::Categorical,
        }
    }
}
