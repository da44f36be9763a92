//! What an API's answer means.

use serde_json::Value;
use wasmlops_sdk::http::Response;
use wasmlops_sdk::prelude::*;

/// Characters of an answer that a message quotes.
const QUOTED: usize = 300;

/// Errors: `unavailable` for answers that say "later" (408, 425, 429, 5xx), `invalid-input` for others.
pub fn expect_success(response: &Response) -> Result<()> {
    if response.is_success() {
        return Ok(());
    }
    let said: String = response.text().chars().take(QUOTED).collect();
    let message = format!("the API answered {}: {said}", response.status);
    let code = match response.status {
        408 | 425 | 429 | 500..=599 => ErrorCode::Unavailable,
        _ => ErrorCode::InvalidInput,
    };
    Err(Error::new(code, message))
}

pub fn is_gone(response: &Response) -> bool {
    [404, 410].contains(&response.status)
}

/// The text or number at a JSON Pointer (RFC 6901) of the answer; `option` is the configuration key with the pointer.
pub fn text_at(response: &Response, pointer: &str, option: &str) -> Result<String> {
    let answer: Value = serde_json::from_slice(&response.body)
        .map_err(|error| Error::invalid_input(format!("the API's answer is no JSON: {error}")))?;
    match answer.pointer(pointer) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(_) => {
            Err(Error::invalid_config(option, format!("`{pointer}` of the answer is neither text nor a number")))
        }
        None => {
            let message = format!("the answer has nothing at `{pointer}`\nhint: a pointer looks like `/data/id`");
            Err(Error::invalid_config(option, message))
        }
    }
}
