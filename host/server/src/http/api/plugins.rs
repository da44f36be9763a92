//! The plugins that the project can use.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use wasmlops_core::access::{Area, Level};

use crate::http::extract::{Path, Query};
use crate::http::failure::Failure;
use crate::http::page::{Page, PageQuery};
use crate::http::route::{Route, may};
use crate::http::{Api, answer};
use crate::plugins::view::{self, PluginSummary, PluginView};

pub(super) fn routes() -> Vec<Route> {
    let read = may(Area::Plugins, Level::Read);
    vec![
        Route::get("/api/v1/plugins", read, list_plugins)
            .named("list_plugins", "The plugins that the project can use, by name")
            .query::<PageQuery>()
            .gives::<Page<PluginSummary>>("plugins"),
        Route::get("/api/v1/plugins/{name}", read, get_plugin)
            .named("get_plugin", "A plugin with its manifest")
            .gives::<PluginView>("the plugin"),
    ]
}

async fn list_plugins(State(api): State<Arc<Api>>, Query(page): Query<PageQuery>) -> Result<Response, Failure> {
    let page = Page::of("plugins", view::list(&api.host), &page, |plugin| plugin.name.clone())?;
    Ok(answer(StatusCode::OK, &page))
}

async fn get_plugin(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Result<Response, Failure> {
    let unknown = || {
        let name: String = name.chars().take(100).collect();
        Failure::not_found("unknown-plugin", format!("there is no plugin `{name}`"))
    };
    Ok(answer(StatusCode::OK, &view::show(&api.host, &name)?.ok_or_else(unknown)?))
}
