//! The part of WASI 0.2 that guests get, made deterministic: clocks stand at the run's nominal time, randomness comes
//! from the step's seed, stdout and stderr go to the log, granted files are read-only, HTTP requests go to the call's
//! broker. No environment, no arguments, no sockets, no name lookup: those interfaces are not linked at all.
//!
//! Calls are counted where each interface reaches into the store; a breach found there stops the guest at the next
//! tick.

mod clock;
pub(crate) mod files;
pub(crate) mod http;
pub(crate) mod random;
pub(crate) mod stdio;

use std::sync::Arc;

use wasmlops_core::call::Sandbox;
use wasmtime::component::{HasData, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliCtxView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksCtxView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, io, random as random_bindings};
use wasmtime_wasi::{FsPerms, WasiCtx};
use wasmtime_wasi_http::WasiHttp;
use wasmtime_wasi_http::p2::bindings::http::{outgoing_handler, types};

use crate::state::State;
use crate::watch::Watch;

/// What [`link`] defines, without the version: any final 0.2 will do.
pub(crate) const INTERFACES: [&str; 22] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// What a call's guest reaches through WASI.
///
/// Errors: the folder of granted files cannot be opened.
pub(crate) fn context(sandbox: &Sandbox, stdio: &stdio::Stdio, watch: &Arc<Watch>) -> wasmtime::Result<WasiCtx> {
    let mut wasi = WasiCtx::builder();
    wasi.wall_clock(clock::NominalTime::new(sandbox.nominal_time, watch.clone()));
    wasi.monotonic_clock(clock::NominalTime::new(sandbox.nominal_time, watch.clone()));
    wasi.stdout(stdio.out.clone());
    wasi.stderr(stdio.err.clone());
    // Guests have threads of their own, and granted files are local: a hop to another thread for each read gains
    // nothing.
    wasi.allow_blocking_current_thread(true);
    if let Some(folder) = &sandbox.files {
        wasi.preopened_dir(folder, "/", FsPerms::ReadOnly)?;
    }
    Ok(wasi.build())
}

/// Defines every interface of [`INTERFACES`].
pub(crate) fn link(l: &mut Linker<State>) -> wasmtime::Result<()> {
    io::error::add_to_linker::<State, Io>(l, State::io)?;
    io::poll::add_to_linker::<State, Io>(l, State::io)?;
    io::streams::add_to_linker::<State, Io>(l, State::io)?;

    clocks::wall_clock::add_to_linker::<State, WasiClocks>(l, State::clocks)?;
    clocks::monotonic_clock::add_to_linker::<State, WasiClocks>(l, State::clocks)?;

    random_bindings::random::add_to_linker::<State, HasSelf<State>>(l, |state| state)?;
    random_bindings::insecure::add_to_linker::<State, HasSelf<State>>(l, |state| state)?;
    random_bindings::insecure_seed::add_to_linker::<State, HasSelf<State>>(l, |state| state)?;

    filesystem::preopens::add_to_linker::<State, WasiFilesystem>(l, State::file_system)?;
    filesystem::types::add_to_linker::<State, files::Files>(l, State::granted_files)?;

    outgoing_handler::add_to_linker::<State, WasiHttp>(l, State::http)?;
    types::add_to_linker::<State, WasiHttp>(l, &types::LinkOptions::default(), State::http)?;

    cli::environment::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::exit::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::stdin::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::stdout::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::stderr::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_input::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_output::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stdin::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stdout::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stderr::add_to_linker::<State, WasiCli>(l, State::cli)?;
    Ok(())
}

struct Io;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}

impl State {
    fn io(&mut self) -> &mut ResourceTable {
        self.watch.note_call();
        &mut self.handles
    }

    fn clocks(&mut self) -> WasiClocksCtxView<'_> {
        self.watch.note_call();
        WasiClocksCtxView { ctx: self.wasi.clocks(), table: &mut self.handles }
    }

    fn cli(&mut self) -> WasiCliCtxView<'_> {
        self.watch.note_call();
        WasiCliCtxView { ctx: self.wasi.cli(), table: &mut self.handles }
    }

    fn file_system(&mut self) -> WasiFilesystemCtxView<'_> {
        self.watch.note_call();
        WasiFilesystemCtxView { ctx: self.wasi.filesystem(), table: &mut self.handles }
    }

    fn granted_files(&mut self) -> files::GrantedFiles<'_> {
        self.watch.note_call();
        files::GrantedFiles {
            inner: WasiFilesystemCtxView { ctx: self.wasi.filesystem(), table: &mut self.handles },
            rules: &mut self.files,
        }
    }
}
