//! What a guest can import: the contract's host interfaces and the WASI interfaces of `wasi`. Nothing else exists.

use wasmtime::component::{HasSelf, Linker};

use crate::bindings::EveryKind;
use crate::state::State;
use crate::wasi;

/// The contract version that this host speaks.
pub(crate) const CONTRACT: &str = "0.1.0";

/// The contract's imports, without the version.
const CONTRACT_INTERFACES: [&str; 7] = ["types", "tables", "log", "metrics", "progress", "checkpoint", "blobs"];

/// Whether something imported is there to be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Import {
    Linked,
    /// There for components that export this kind, and for no others.
    OnlyFor(&'static str),
    /// The contract in a version that this host does not speak.
    OtherContract,
    Denied,
}

/// Defines everything that [`judge`] calls linked.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    EveryKind::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state)?;
    wasi::link(&mut linker)?;
    Ok(linker)
}

/// Looks at an import's name, such as `wasi:io/poll@0.2.6`.
pub(crate) fn judge(import: &str) -> Import {
    let (name, version) = import.split_once('@').unwrap_or((import, ""));
    if let Some(interface) = name.strip_prefix("wasmlops:plugin/") {
        return match version == CONTRACT {
            false => Import::OtherContract,
            true if interface == "endpoints" => Import::OnlyFor("deployer"),
            true if interface == "models" => Import::OnlyFor("validator"),
            true if CONTRACT_INTERFACES.contains(&interface) => Import::Linked,
            true => Import::Denied,
        };
    }
    // Drafts (`0.2.0-rc-2023-11-10`) are other interfaces under the same name.
    let final_version = version.strip_prefix("0.2.").is_some_and(|patch| patch.parse::<u32>().is_ok());
    if final_version && wasi::INTERFACES.contains(&name) { Import::Linked } else { Import::Denied }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_linked() {
        for import in [
            "wasmlops:plugin/log@0.1.0",
            "wasi:io/poll@0.2.0",
            "wasi:random/random@0.2.12",
            "wasi:http/outgoing-handler@0.2.6",
        ] {
            assert_eq!(judge(import), Import::Linked, "{import}");
        }
        assert_eq!(judge("wasmlops:plugin/endpoints@0.1.0"), Import::OnlyFor("deployer"));
        assert_eq!(judge("wasmlops:plugin/models@0.1.0"), Import::OnlyFor("validator"));
        for import in [
            "wasi:sockets/tcp@0.2.0",
            "wasi:http/incoming-handler@0.2.0",
            "wasi:io/poll",
            "wasi:io/poll@0.3.0",
            "wasi:io/poll@0.2.0-rc-2023-11-10",
            "wasmlops:plugin/secrets@0.1.0",
            "env",
        ] {
            assert_eq!(judge(import), Import::Denied, "{import}");
        }
        assert_eq!(judge("wasmlops:plugin/log@0.2.0"), Import::OtherContract);
    }
}
