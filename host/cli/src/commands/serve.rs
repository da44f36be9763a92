//! `wasmlops serve`: everything that goes on while nobody calls a command. Endpoints answer, monitors watch them, the
//! inference log is kept, and HTTP is the way in.

mod site;

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;

use anyhow::Result;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use wasmlops_server::access::tokens;
use wasmlops_server::dispatch::Slots;
use wasmlops_server::http::{Exposure, Server, ServerOptions, TlsFiles};

use self::site::{Site, tell};
use crate::args::ServeArgs;
use crate::output::{Outcome, Printer};
use crate::settings::Settings;

use super::run::interrupted;

pub async fn serve(settings: &Settings, args: ServeArgs, printer: &Printer) -> Result<Outcome> {
    let mut sites = Vec::new();
    for project in settings.projects()? {
        sites.push(Site::open(settings, project).await?);
    }
    share_places(&mut sites);
    let exposure = exposure(settings, &args);
    let (is_tls, projects) = (exposure.is_tls(), sites.iter().map(Site::served).collect());
    let server = Server::bind(ServerOptions { projects, bind: args.bind, exposure }).await?;
    let first = if args.open { Vec::new() } else { first_tokens(&sites, &settings.actor()).await? };
    announce(server.address(), is_tls, &first, printer)?;

    // First no more requests, then what answers them, so that none is lost on the way.
    let (no_requests, no_service) = (watch::Sender::new(false), watch::Sender::new(false));
    let http = async {
        server.run(stopped(no_requests.subscribe())).await;
        no_service.send_replace(true);
    };
    let stop = async {
        first_interrupt(stopped(no_requests.subscribe())).await;
        printer.say("stopping: requests that have begun are answered; interrupt again to stop at once");
        no_requests.send_replace(true);
    };
    let servings: Vec<_> = sites.iter().map(|site| site.serving.clone()).collect();
    let told = all(servings.iter().map(|serving| tell(serving, printer)).collect());
    let work = all(sites.into_iter().map(|site| site.work(&no_requests, &no_service)).collect());
    let ((), worked, (), _) = tokio::join!(http, work, stop, told);
    worked.into_iter().collect::<Result<Vec<()>>>()?;
    Ok(Outcome::Done)
}

/// As many runs at once as the most generous of the projects allows, fairly between them.
fn share_places(sites: &mut [Site]) {
    let most = sites.iter().map(|site| site.host.project.concurrency.runs).max();
    let slots = Slots::new(most.unwrap_or(1));
    sites.iter_mut().for_each(|site| site.slots = slots.clone());
}

fn exposure(settings: &Settings, args: &ServeArgs) -> Exposure {
    let tls = args.tls_cert.as_ref().zip(args.tls_key.as_ref());
    let file = |path: &std::path::Path| settings.folder.join(path);
    Exposure {
        open: args.open,
        tls: tls.map(|(cert, key)| TlsFiles { cert: file(cert), key: file(key) }),
        behind_proxy: args.behind_proxy,
        host_names: args.host_names.clone(),
    }
}

/// Makes the token that everything begins with for each project that never had one: its name and the token.
async fn first_tokens(sites: &[Site], actor: &str) -> Result<Vec<(String, String)>> {
    let mut made = Vec::new();
    for Site { host, .. } in sites {
        if let Some(created) = tokens::create_first(host, actor).await? {
            // Whoever was shown it must find it known, whatever happens to this machine.
            host.store.barrier().await?;
            made.push((host.project.name.clone(), created.token));
        }
    }
    Ok(made)
}

/// Where it listens, the one line on standard output, and first tokens, this once.
fn announce(address: SocketAddr, is_tls: bool, first: &[(String, String)], printer: &Printer) -> Result<()> {
    let url = format!("{}://{address}", if is_tls { "https" } else { "http" });
    for (project, token) in first {
        printer.notice(format!("the first token of `{project}`, an administrator's, shown this once: {token}"));
    }
    let line = match printer.is_json() {
        true => listening(&url, first).to_string(),
        false => format!("listening on {url}"),
    };
    printer.bytes(format!("{line}\n").as_bytes())
}

/// `admin_token` is that of the first project which had none; with several, `admin_tokens` has them by project.
fn listening(url: &str, first: &[(String, String)]) -> Value {
    let mut line = json!({ "listening": url });
    if let Some((_, token)) = first.first() {
        line["admin_token"] = json!(token);
    }
    if first.len() > 1 {
        let tokens = first.iter().map(|(project, token)| (project.clone(), json!(token)));
        line["admin_tokens"] = Value::Object(tokens.collect::<Map<_, _>>());
    }
    line
}

/// A future, and what it came to.
type Running<F> = (Pin<Box<F>>, Option<<F as Future>::Output>);

/// All of them at once, to their ends.
async fn all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut running: Vec<Running<F>> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    poll_fn(|context| {
        for (future, output) in running.iter_mut().filter(|(_, output)| output.is_none()) {
            if let Poll::Ready(ended) = future.as_mut().poll(context) {
                *output = Some(ended);
            }
        }
        if running.iter().all(|(_, output)| output.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, output)| output).collect()
}

/// Ends with the first interrupt, or with `ended` before; the second interrupt ends the process.
async fn first_interrupt(ended: impl Future<Output = ()>) {
    let ended = pin!(ended);
    tokio::select! {
        () = interrupted() => {
            tokio::spawn(async {
                interrupted().await;
                std::process::abort();
            });
        }
        () = ended => {}
    }
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // A sender that is gone says the same.
    let _ = stop.wait_for(|stop| *stop).await;
}
