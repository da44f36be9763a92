//! One project of a server: all that goes on for it beside HTTP.

use anyhow::Result;
use tokio::sync::watch;
use wasmlops_server::approvals::Approvals;
use wasmlops_server::dispatch::{self, Dispatcher, Slots};
use wasmlops_server::events::Events;
use wasmlops_server::gc;
use wasmlops_server::host::Host;
use wasmlops_server::http::ServedProject;
use wasmlops_server::inference::InferenceLogs;
use wasmlops_server::monitoring::Monitoring;
use wasmlops_server::project::Project;
use wasmlops_server::schedules;
use wasmlops_server::serving::view::EndpointView;
use wasmlops_server::serving::{Options, Service, Serving};

use super::stopped;
use crate::output::Printer;
use crate::settings::Settings;

/// A project that is open, and what works for it.
pub struct Site {
    pub host: Host,
    pub serving: Serving,
    /// Places for runs, which projects of one server share.
    pub slots: Slots,
    service: Service,
    logs: InferenceLogs,
}

impl Site {
    pub async fn open(settings: &Settings, project: Project) -> Result<Self> {
        let host = settings.host_with(project, false).await?;
        let logs = InferenceLogs::open(host.store.clone(), &host.home, host.clock.clone()).await?;
        let endpoints = host.project.endpoints.clone();
        let options = Options { host: host.clone(), endpoints, log: Some(logs.clone()) };
        let (service, serving) = Service::new(options).await?;
        let slots = Slots::new(host.project.concurrency.runs);
        Ok(Self { host, serving, slots, service, logs })
    }

    pub fn served(&self) -> ServedProject {
        ServedProject { host: self.host.clone(), serving: self.serving.clone() }
    }

    /// Works until `no_service` says that nothing is left to work for. Endpoints that cannot be served end requests.
    pub async fn work(self, no_requests: &watch::Sender<bool>, no_service: &watch::Sender<bool>) -> Result<()> {
        let Self { host, slots, service, logs, .. } = self;
        // Runs that were submitted end while requests under way are answered.
        let options = dispatch::Options { slots, ..dispatch::Options::new(host.clone()) };
        let runs = Dispatcher::new(options).run(no_requests.subscribe());
        let service = async {
            let served = service.run(stopped(no_service.subscribe())).await;
            no_requests.send_replace(true);
            served
        };
        let (served, (), ()) = tokio::join!(service, runs, upkeep(&host, &logs, no_requests, no_service));
        host.store.close().await;
        Ok(served?)
    }
}

async fn upkeep(
    host: &Host,
    logs: &InferenceLogs,
    no_requests: &watch::Sender<bool>,
    no_service: &watch::Sender<bool>,
) {
    let monitoring = Monitoring::new(host).run(no_service.subscribe());
    // Schedules stop before what they submit to.
    let schedules = schedules::Service::new(host).run(no_requests.subscribe());
    // What nobody decides expires, and what was decided goes on.
    let approvals = Approvals::new(host).run(no_service.subscribe());
    // Triggers and notifications read what happened, and go on where they were.
    let events = Events::new(host).run(no_service.subscribe());
    // What retention lets go, once a day.
    let garbage = gc::daily(host, stopped(no_service.subscribe()));
    let logs = logs.clone().run(stopped(no_service.subscribe()));
    tokio::join!(monitoring, schedules, approvals, events, garbage, logs);
}

/// Says of each endpoint how it begins: ready, with nothing to serve, or failing.
pub async fn tell(serving: &Serving, printer: &Printer) {
    for endpoint in serving.endpoints() {
        let name = &endpoint.name;
        let known = |view: &EndpointView| serving.has_looked() && (!view.is_awaited() || view.message.is_some());
        if !serving.until(name, known).await {
            return;
        }
        let Some(view) = serving.status(name) else { continue };
        printer.say(match (view.live, view.message) {
            (Some(version), _) if view.ready == Some(true) => {
                format!("endpoint `{name}` is ready with version {version} of `{}`", endpoint.model)
            }
            (_, Some(message)) => format!("endpoint `{name}` is not ready: {message}"),
            _ => format!("endpoint `{name}` waits for `{}` to name a version", view.model),
        });
    }
}
