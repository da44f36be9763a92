//! Cards of made-up facts.

use std::collections::BTreeMap;

use wasmlops_core::artifact::Code;
use wasmlops_core::table::Schema;
use wasmlops_package::Digest;

use super::*;

fn field(name: &str, data_type: DataType) -> Field {
    Field { name: name.to_owned(), data_type, nullable: false }
}

fn content() -> VersionDocument {
    let digest = Digest::blake3(b"x");
    VersionDocument {
        name: "m".to_owned(),
        model: digest,
        document: ModelDocument {
            transforms: Vec::new(),
            plugin: "linear-model 0.1.0".to_owned(),
            predictor: Digest::sha256(b"p"),
            model: digest,
            input: Schema { fields: vec![field("a|b", DataType::F64), field("y", DataType::S64)] },
            output: Schema { fields: vec![field("prediction", DataType::Categorical)] },
            target: Some("y".to_owned()),
            strict: false,
        },
        metrics: BTreeMap::from([("auc".to_owned(), 0.5), ("tiny".to_owned(), 1e-7)]),
        reports: vec![ReportRef { step: "gate".to_owned(), digest, passed: true }],
        data: BTreeMap::from([("data/cells.csv".to_owned(), digest)]),
        training: None,
        evaluation: Some(digest),
        code: Code::default(),
        origin: None,
    }
}

fn card_of(note: Option<&Note>) -> String {
    let content = content();
    let row = VersionRow {
        name: "m".to_owned(),
        version: 3,
        digest: content.digest(),
        model_digest: content.model,
        evidence: Vec::new(),
        origin: None,
        run: Some("r1".to_owned()),
        step: Some("publish".to_owned()),
        git_commit: None,
        actor: "cli".to_owned(),
        created: 0,
    };
    let tags = Tags::from([("license".to_owned(), "mit".to_owned()), ("team".to_owned(), "risk: \"x\"".to_owned())]);
    let check = Check { name: "auc".to_owned(), passed: true, observed: Some(0.5), ..check() };
    let report = ValidationReport { passed: true, summary: "1 of 1".to_owned(), checks: vec![check] };
    let reports = vec![(&content.reports[0], Some(report))];
    let facts = Facts { row: &row, content: &content, tags: &tags, note, reports };
    facts.head() + &facts.body()
}

fn check() -> Check {
    Check {
        name: String::new(),
        passed: false,
        column: None,
        slice: None,
        observed: None,
        expected: "at least 0.4".to_owned(),
        count: 9,
        examples: Vec::new(),
        message: String::new(),
    }
}

#[test]
fn the_head_is_yaml_that_says_what_was_recorded() {
    let card = card_of(None);
    let head = card.strip_prefix("---\n").unwrap().split("\n---\n").next().unwrap();
    for line in [
        "license: \"mit\"",
        "library_name: wasmlops",
        "pipeline_tag: tabular-classification",
        "  - \"team:risk: \\\"x\\\"\"",
        "  - \"cells\"",
        "          - type: \"tiny\"",
        "            value: 0.0000001",
    ] {
        assert!(head.lines().any(|found| found == line), "no `{line}` in\n{head}");
    }
}

#[test]
fn the_body_is_generated_and_notes_stand_apart() {
    let bare = card_of(None);
    assert!(bare.contains("| `auc` |  | 0.5 | at least 0.4 | passed | 9 |"), "{bare}");
    assert!(bare.contains("| `a\\|b` | f64 | no |  |"), "{bare}");
    let note = Note { text: "For adults only.\n".to_owned(), actor: "ann".to_owned(), time: 0 };
    let noted = card_of(Some(&note));
    let (generated, human) = noted.split_once("## Notes").unwrap();
    assert!(human.contains("For adults only.") && !generated.contains("adults"));
    assert_eq!(generated, bare.split_once("## Notes").unwrap().0);
    assert_eq!(noted, card_of(Some(&note)));
}
