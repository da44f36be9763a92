//! What is refused before any guest code runs.

use wasmlops_engine::{PrepareError, Profile};

use crate::lab::{ENGINE, component};

fn refused(bytes: &[u8]) -> PrepareError {
    ENGINE.prepare(bytes, Profile::default()).unwrap_err()
}

fn refused_text(text: &str) -> PrepareError {
    refused(&wat::parse_str(text).unwrap())
}

#[test]
fn what_is_no_component() {
    assert!(matches!(refused(b""), PrepareError::NotAComponent { .. }));
    assert!(matches!(refused(b"plugin: csv-source"), PrepareError::NotAComponent { .. }));
    let module = refused_text("(module)");
    assert!(matches!(&module, PrepareError::NotAComponent { reason } if reason.contains("core module")), "{module:?}");
    let mut cut = component("well-behaved");
    cut.truncate(cut.len() / 2);
    assert!(matches!(refused(&cut), PrepareError::NotAComponent { .. }));
}

#[test]
fn compiled_code() {
    let folder = tempfile::tempdir().unwrap();
    crate::lab::engine(Some(folder.path().into())).prepare(&component("well-behaved"), Profile::default()).unwrap();
    let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let compiled = &std::fs::read(file).unwrap()[32..];
    let error = refused(compiled);
    assert!(matches!(&error, PrepareError::NotAComponent { reason } if reason.contains("compiled code")), "{error:?}");
}

#[test]
fn a_file_beyond_64_mib() {
    assert!(matches!(refused(&vec![0; (64 << 20) + 1]), PrepareError::TooLarge { .. }));
}

#[test]
fn imports_that_nobody_is_granted() {
    for import in ["wasi:http/incoming-handler@0.2.0", "wasi:sockets/tcp@0.2.3", "acme:gpu/device@1.0.0", "env"] {
        let error = refused_text(&format!("(component (import \"{import}\" (instance)))"));
        assert!(matches!(&error, PrepareError::Denied { import: named } if named == import), "{error:?}");
    }
}

#[test]
fn another_contract() {
    let error = refused_text("(component (import \"wasmlops:plugin/log@0.9.0\" (instance)))");
    assert!(matches!(&error, PrepareError::Contract { reason } if reason.contains("0.9.0")), "{error:?}");
    let error = refused_text("(component)");
    assert!(matches!(&error, PrepareError::Contract { reason } if reason.contains("no kind")), "{error:?}");
    // The right name, and another type behind it.
    let error =
        refused_text("(component (import \"wasmlops:plugin/progress@0.1.0\" (instance (export \"update\" (func)))))");
    assert!(matches!(&error, PrepareError::Contract { .. }), "{error:?}");
}

#[test]
fn features_that_are_off() {
    for (feature, module) in [
        ("memory64", "(memory i64 1)"),
        ("threads", "(memory 1 1 shared)"),
        ("exceptions", "(tag)"),
        ("gc", "(type (struct (field i32)))"),
        ("tail calls", "(func $f (return_call $f))"),
    ] {
        let error = refused_text(&format!("(component (core module {module}))"));
        assert!(matches!(&error, PrepareError::Compile { .. }), "{feature}: {error:?}");
    }
}
