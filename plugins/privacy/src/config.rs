//! What users write under `with`. The doc comments are the descriptions they see. Compiled into the build script too,
//! so it knows serde and schemars alone.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// Which columns are looked through, for what, and which may be what they are.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The columns to look through. Default: all of them.
    pub columns: Option<Vec<String>>,

    /// Columns that are not looked through.
    pub exclude: Vec<String>,

    /// Columns that may hold personal data, each with the reason why, which stands in the report:
    /// `{ email: "hashed by the features" }`.
    pub allow: BTreeMap<String, String>,

    /// What is looked for. Default: everything.
    pub look_for: Option<Vec<What>>,

    /// What is reported and fails nothing. Default: `[identifier]`.
    pub warn: Vec<What>,

    /// A column is named where this share of its values, missing ones left out, matches.
    #[schemars(range(min = 0, max = 1))]
    pub threshold: f64,

    /// A column of text or whole numbers is an identifier where this share of its values, missing ones left out, comes
    /// once.
    #[schemars(range(min = 0, max = 1))]
    pub unique_share: f64,

    /// Columns with fewer values are not called identifiers: in a short table everything comes once.
    #[schemars(range(min = 1))]
    pub min_rows: u64,

    /// Looks at this many rows, evenly spread over the table. Default: all rows.
    #[schemars(range(min = 1))]
    pub max_rows: Option<u64>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            columns: None,
            exclude: Vec::new(),
            allow: BTreeMap::new(),
            look_for: None,
            warn: vec![What::Identifier],
            // Of numbers of the right length, up to a tenth has a right check digit by chance.
            threshold: 0.2,
            unique_share: 0.95,
            min_rows: 100,
            max_rows: None,
        }
    }
}

/// What a column may turn out to hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum What {
    /// E-mail addresses, also inside of longer text.
    Email,
    /// Telephone numbers with `+` or with separators.
    Phone,
    /// Numbers of payment cards: known prefix, length and check digit.
    PaymentCard,
    /// International bank account numbers: country, length and check digits.
    Iban,
    /// Internet addresses, version 4 and 6.
    IpAddress,
    /// US social security numbers, written with separators.
    UsSsn,
    /// UK national insurance numbers.
    UkNino,
    /// German tax identification numbers, with their check digit.
    DeTaxId,
    /// French NIR (INSEE) numbers, with their key.
    FrNir,
    /// Spanish DNI and NIE numbers, with their letter.
    EsDni,
    /// Italian codici fiscali, with their check character.
    ItCodiceFiscale,
    /// Dutch citizen service numbers (BSN), with their check digit.
    NlBsn,
    /// Polish PESEL numbers, with their date and check digit.
    PlPesel,
    /// A column's title that says so: surname, address, date of birth and their like.
    Title,
    /// Columns in which nearly every value comes once.
    Identifier,
}

impl What {
    /// Those that are seen in single values.
    pub const IN_VALUES: [What; 13] = [
        What::Email,
        What::Phone,
        What::PaymentCard,
        What::Iban,
        What::IpAddress,
        What::UsSsn,
        What::UkNino,
        What::DeTaxId,
        What::FrNir,
        What::EsDni,
        What::ItCodiceFiscale,
        What::NlBsn,
        What::PlPesel,
    ];

    pub fn name(self) -> &'static str {
        self.about().0
    }

    /// What the column holds, in words.
    pub fn words(self) -> &'static str {
        self.about().1
    }

    fn about(self) -> (&'static str, &'static str) {
        match self {
            What::Email => ("email", "e-mail addresses"),
            What::Phone => ("phone", "telephone numbers"),
            What::PaymentCard => ("payment_card", "numbers of payment cards"),
            What::Iban => ("iban", "bank account numbers (IBAN)"),
            What::IpAddress => ("ip_address", "internet addresses"),
            What::UsSsn => ("us_ssn", "US social security numbers"),
            What::UkNino => ("uk_nino", "UK national insurance numbers"),
            What::DeTaxId => ("de_tax_id", "German tax identification numbers"),
            What::FrNir => ("fr_nir", "French NIR numbers"),
            What::EsDni => ("es_dni", "Spanish DNI or NIE numbers"),
            What::ItCodiceFiscale => ("it_codice_fiscale", "Italian codici fiscali"),
            What::NlBsn => ("nl_bsn", "Dutch citizen service numbers"),
            What::PlPesel => ("pl_pesel", "Polish PESEL numbers"),
            What::Title => ("title", "personal data, by its title"),
            What::Identifier => ("identifier", "identifiers"),
        }
    }
}
