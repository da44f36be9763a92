//! A request through `wasi:http/outgoing-handler`, start to end, blocking.

use std::time::Duration;

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode as Code, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use wasip2::io::streams::StreamError;

use super::url::Parts;
use super::{Request, Response};
use crate::error::{Error, ErrorCode, Result};

/// Bytes asked for in one read.
const READ: u64 = 1 << 20;

pub(super) fn send(request: &Request, parts: &Parts<'_>) -> Result<Response> {
    let wrong = |what: &str| Error::invalid_input(format!("a request with {what} that HTTP does not allow"));
    let headers = Fields::from_list(&request.headers).map_err(|_| wrong("a header"))?;
    let outgoing = OutgoingRequest::new(headers);
    outgoing.set_method(&method(&request.method)).map_err(|()| wrong("a method"))?;
    let scheme = if parts.https { Scheme::Https } else { Scheme::Http };
    outgoing.set_scheme(Some(&scheme)).map_err(|()| wrong("a scheme"))?;
    outgoing.set_authority(Some(parts.authority)).map_err(|()| wrong("a host"))?;
    outgoing.set_path_with_query(Some(parts.path)).map_err(|()| wrong("a path"))?;

    let body = outgoing.body().map_err(|()| wrong("a `content-length`"))?;
    let failed = |code: Code| failure(&request.url, &code);
    let answer = outgoing_handler::handle(outgoing, options(request.timeout)).map_err(failed)?;
    // Where the host has refused the request it takes no body; the answer says why.
    if write(&body, &request.body).is_ok() {
        OutgoingBody::finish(body, None).map_err(failed)?;
    }
    answer.subscribe().block();
    match answer.get() {
        Some(Ok(Ok(response))) => read(&request.url, &response),
        Some(Ok(Err(code))) => Err(failed(code)),
        None | Some(Err(())) => Err(Error::internal("the host gave neither an answer nor an error")),
    }
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

fn options(timeout: Option<Duration>) -> Option<RequestOptions> {
    let nanoseconds = u64::try_from(timeout?.as_nanos()).ok();
    let options = RequestOptions::new();
    // A host may support none of these; its own limit holds then.
    let _ = options.set_connect_timeout(nanoseconds);
    let _ = options.set_first_byte_timeout(nanoseconds);
    let _ = options.set_between_bytes_timeout(nanoseconds);
    Some(options)
}

fn write(body: &OutgoingBody, mut bytes: &[u8]) -> Result<(), ()> {
    let stream = body.write()?;
    while !bytes.is_empty() {
        let room = stream.check_write().map_err(|_| ())?;
        if room == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, later) = bytes.split_at(bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
        stream.write(now).map_err(|_| ())?;
        bytes = later;
    }
    stream.flush().map_err(|_| ())
}

fn read(url: &str, response: &IncomingResponse) -> Result<Response> {
    let broken = || Error::new(ErrorCode::Unavailable, format!("the answer of `{url}` broke off"));
    let incoming = response.consume().map_err(|()| broken())?;
    let stream = incoming.stream().map_err(|()| broken())?;
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(READ) {
            Ok(bytes) => body.extend_from_slice(&bytes),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(_)) => return Err(broken()),
        }
    }
    Ok(Response { status: response.status(), headers: response.headers().entries(), body })
}

fn failure(url: &str, code: &Code) -> Error {
    let error = |code, what: &str| Error::new(code, format!("`{url}` {what}"));
    match code {
        Code::HttpRequestDenied | Code::DestinationIpProhibited => {
            error(ErrorCode::Denied, "is not among the origins that the step was granted")
        }
        Code::HttpRequestUriInvalid | Code::HttpRequestUriTooLong | Code::HttpRequestMethodInvalid => {
            error(ErrorCode::InvalidInput, "cannot be requested: the URL, the method or a header is not valid")
        }
        Code::HttpRequestBodySize(_) => error(ErrorCode::Exhausted, "was to get a body beyond the limit"),
        Code::HttpResponseBodySize(_) => error(ErrorCode::Exhausted, "answers with a body beyond the limit"),
        Code::ConnectionTimeout | Code::ConnectionReadTimeout | Code::HttpResponseTimeout => {
            error(ErrorCode::Unavailable, "did not answer in time")
        }
        code => error(ErrorCode::Unavailable, &format!("did not answer: {code}")),
    }
}
