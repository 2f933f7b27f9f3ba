//! What a client has asked and is to be answered. Pure.
//!
//! A session is asked under numbers of our own: so the answer finds the callback that waits for it, whatever
//! `id` the client gave or did not give, and it carries back that `id`.

use std::collections::{BTreeMap, HashMap};

use serde_json::value::RawValue;
use wire::{ErrorCode, Request, RequestError, RequestId};

use crate::doors::text::type_of;
use crate::limits::ASKED_MAX;

#[derive(Default)]
pub(super) struct Asked {
    last: u64,
    waiting: HashMap<u64, Waiting>,
}

/// An answer's way back.
struct Waiting {
    callback: Option<u64>,
    id: Option<RequestId>,
}

/// What a session says, as its client is to have it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) callback: Option<u64>,
    pub(super) message: String,
}

impl Asked {
    /// Whether so much waits to be answered that nothing more is heard.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= ASKED_MAX
    }

    /// The request that an event is: its name is the `op`, its one argument the rest.
    ///
    /// # Errors
    /// It is none, and the session is to say so.
    pub(super) fn ask(
        &mut self,
        callback: Option<u64>,
        arguments: &[&RawValue],
        attachments: u32,
    ) -> Result<String, RequestError> {
        self.last += 1;
        let ours = RequestId::Number(self.last);
        let (id, asked) = match request(arguments, attachments) {
            Ok((id, mut fields)) => {
                let number = RawValue::from_string(self.last.to_string());
                fields.insert("id".to_owned(), number.unwrap_or_else(|_| RawValue::NULL.to_owned()));
                (id, Ok(serde_json::to_string(&fields).unwrap_or_default()))
            }
            Err(mut error) => (error.id.replace(ours), Err(error)),
        };
        self.waiting.insert(self.last, Waiting { callback, id });
        asked
    }

    /// What a message of the session is to the client.
    pub(super) fn answer(&mut self, message: &str) -> Answer {
        self.find(message).unwrap_or_else(|| Answer { callback: None, message: message.to_owned() })
    }

    fn find(&mut self, message: &str) -> Option<Answer> {
        if !matches!(type_of(message.as_bytes()), b"ack" | b"error" | b"pong" | b"echo") {
            return None;
        }
        // The second field, where there is one.
        let (kind, rest) = message.split_once(",\"id\":")?;
        if kind.contains(',') {
            return None;
        }
        let (number, rest) = rest.split_once(',')?;
        let Waiting { callback, id } = self.waiting.remove(&number.parse().ok()?)?;
        let id = id.and_then(|id| serde_json::to_string(&id).ok());
        let id = id.map(|id| format!("\"id\":{id},")).unwrap_or_default();
        Some(Answer { callback, message: format!("{kind},{id}{rest}") })
    }
}

type Fields = BTreeMap<String, Box<RawValue>>;

/// The client's own id and all fields of a request.
fn request(arguments: &[&RawValue], attachments: u32) -> Result<(Option<RequestId>, Fields), RequestError> {
    let (name, object) = match arguments {
        [name] => (name, "{}"),
        // What some clients put where there is nothing and a callback follows.
        [name, nothing] if nothing.get() == "null" => (name, "{}"),
        [name, object] if object.get().starts_with('{') => (name, object.get()),
        [name, ..] => {
            return Err(unfit(name, "An event has one argument, an object: the fields of the request."));
        }
        [] => return Err(unfit(RawValue::NULL, "An event has a name.")),
    };
    if attachments > 0 {
        return Err(unfit(name, "Binary attachments are not taken: a request is one object of JSON."));
    }
    let fields = object[1..object.len() - 1].trim();
    let comma = if fields.is_empty() { "" } else { "," };
    let text = format!("{{\"op\":{name}{comma}{fields}}}");
    // Read as the client gave it, so that the answer is about that.
    let id = Request::parse(&text)?.id;
    let fields = serde_json::from_str(&text)
        .map_err(|_| unfit(name, "An event has one argument, an object: the fields of the request."))?;
    Ok((id, fields))
}

fn unfit(name: &RawValue, message: &str) -> RequestError {
    let op = serde_json::from_str(name.get()).ok();
    let (code, message) = (ErrorCode::InvalidRequest, message.to_owned());
    RequestError { code, message, details: None, id: None, op }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(asked: &mut Asked, callback: Option<u64>, event: &str) -> Result<String, RequestError> {
        asked.ask(callback, &serde_json::from_str::<Vec<&RawValue>>(event).unwrap(), 0)
    }

    #[test]
    fn an_event_is_a_request() {
        let mut asked = Asked::default();
        for (n, (event, request)) in [
            (r#"["list"]"#, r#"{"id":1,"op":"list"}"#),
            (r#"["list",null]"#, r#"{"id":2,"op":"list"}"#),
            (r#"["ledger",{ "id" : "mine" }]"#, r#"{"id":3,"op":"ledger"}"#),
            (r#"["echo",{"payload":1.50}]"#, r#"{"id":4,"op":"echo","payload":1.50}"#),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(ask(&mut asked, None, event).as_deref(), Ok(request), "{n}");
        }
    }

    #[test]
    fn an_answer_finds_its_callback_and_its_id() {
        let mut asked = Asked::default();
        let _ = ask(&mut asked, Some(7), r#"["list",{"id":"m,i\"ne"}]"#);
        let _ = ask(&mut asked, Some(8), r#"["ping"]"#);
        let _ = ask(&mut asked, None, r#"["list",{"id":9}]"#);
        let mut answer = |message: &str| {
            let Answer { callback, message } = asked.answer(message);
            (callback, message)
        };
        let is = |callback, message: &str| (callback, message.to_owned());
        // Nobody asked for these, or they are no answers.
        for own in [
            r#"{"type":"ack","op":"subscribe","channels":["id"],"id":1}"#,
            r#"{"type":"update","id":1,"channel":"trades"}"#,
            r#"{"type":"ack","id":77,"op":"list"}"#,
        ] {
            assert_eq!(answer(own), is(None, own));
        }
        assert_eq!(
            answer(r#"{"type":"pong","id":2,"ts_recv":"x"}"#),
            is(Some(8), r#"{"type":"pong","ts_recv":"x"}"#)
        );
        let list = r#"{"type":"ack","id":"m,i\"ne","op":"list","subscriptions":[]}"#;
        assert_eq!(answer(r#"{"type":"ack","id":1,"op":"list","subscriptions":[]}"#), is(Some(7), list));
        let list = r#"{"type":"ack","id":9,"op":"list","subscriptions":[]}"#;
        assert_eq!(answer(r#"{"type":"ack","id":3,"op":"list","subscriptions":[]}"#), is(None, list));
        assert!(asked.waiting.is_empty());
    }

    #[test]
    fn what_is_no_request_is_refused_in_the_words_of_the_protocol() {
        let mut asked = Asked::default();
        for (event, code, begins) in [
            (
                r#"["subscribr",{}]"#,
                ErrorCode::UnknownOp,
                "Unknown op \"subscribr\". Did you mean \"subscribe\"?",
            ),
            (r#"["list",{"a":1}]"#, ErrorCode::InvalidRequest, "Unknown field \"a\""),
            (
                r#"["list",{"op":"list"}]"#,
                ErrorCode::InvalidRequest,
                "A message must be one JSON object, each field once",
            ),
            (r#"["list",{"id":-1}]"#, ErrorCode::InvalidRequest, "Field \"id\" must be"),
            (r#"["list",[]]"#, ErrorCode::InvalidRequest, "An event has one argument, an object"),
            (r#"["list",{},{}]"#, ErrorCode::InvalidRequest, "An event has one argument, an object"),
            ("[5]", ErrorCode::InvalidRequest, "Field \"op\" must be"),
        ] {
            let error = ask(&mut asked, Some(1), event).unwrap_err();
            assert!(error.code == code && error.message.starts_with(begins), "{event}: {error:?}");
            assert_eq!(error.id, Some(RequestId::Number(asked.last)));
        }
        let event: Vec<&RawValue> =
            serde_json::from_str(r#"["echo",{"payload":{"_placeholder":true,"num":0}}]"#).unwrap();
        let error = asked.ask(None, &event, 1).unwrap_err();
        assert!(error.message.starts_with("Binary attachments are not taken"), "{error:?}");
    }

    #[test]
    fn so_many_may_wait() {
        let mut asked = Asked::default();
        for n in 0..ASKED_MAX {
            assert!(!asked.is_full(), "{n}");
            let _ = ask(&mut asked, None, r#"["list"]"#);
        }
        assert!(asked.is_full());
        asked.answer(r#"{"type":"ack","id":1,"op":"list"}"#);
        assert!(!asked.is_full());
    }
}
