//! What a request is called in logs, here and wherever else it has been: an id that goes from hop to hop
//! (`X-Request-Id`), and the trace that it belongs to (`traceparent`, W3C Trace Context).

use std::borrow::Cow;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{HeaderMap, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::http::{Method, Request, Response};
use model::UnixNanos;

use crate::clock;
use crate::limits::REQUEST_ID_MAX;
use crate::problem::Cause;
use crate::socket::Peer;
use crate::traces::{Fact, Parent, Span, Traces, span_id};

/// The header of an id.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header of a trace.
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What a request is called.
#[derive(Clone, Debug)]
pub(crate) struct Asked(Arc<Names>);

#[derive(Debug)]
struct Names {
    id: Box<str>,
    parent: Option<TraceParent>,
}

/// Where a request stands in a trace of whoever sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceParent {
    pub(crate) trace: u128,
    pub(crate) span: u64,
    pub(crate) sampled: bool,
}

/// Who asks, and what the request is called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    pub(crate) from: Option<SocketAddr>,
    pub(crate) asked: Option<Asked>,
}

impl Asked {
    /// What the headers of a request call it, or a name of our own.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let id = sole(headers, &REQUEST_ID).filter(|id| is_id(id)).map_or_else(fresh, Into::into);
        let parent = sole(headers, &TRACEPARENT).and_then(TraceParent::parse);
        Self(Arc::new(Names { id, parent }))
    }

    pub(crate) fn id(&self) -> &str {
        &self.0.id
    }

    /// Where it stands in a trace of which somebody wants to know.
    pub(crate) fn sampled(&self) -> Option<TraceParent> {
        self.0.parent.filter(|parent| parent.sampled)
    }

    /// The trace, as it stands in logs.
    pub(crate) fn trace_id(&self) -> Option<String> {
        self.0.parent.map(|parent| format!("{:032x}", parent.trace))
    }
}

/// A request whose answer is on its way.
pub(crate) struct Told {
    asked: Asked,
    method: Method,
    /// Without its query, in which there may be a ticket.
    path: String,
    began: Duration,
}

impl Told {
    pub(crate) fn of<B>(request: &Request<B>, asked: Asked) -> Self {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        Self { asked, method, path, began: clock::now() }
    }

    /// The answer is there: it says what it answers, and the log what became of that.
    pub(crate) fn tell<B>(self, answer: &mut Response<B>, traces: Option<&Traces>) {
        let Self { asked, method, path, began } = self;
        let took = clock::now().saturating_sub(began);
        if let Some(Cause(cause)) = answer.extensions_mut().remove() {
            tracing::warn!(request_id = %asked, trace_id = asked.trace_id(), %method, path, "{cause}");
        }
        tracing::debug!(
            request_id = %asked,
            trace_id = asked.trace_id(),
            %method,
            path,
            status = answer.status().as_u16(),
            duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
        if let (Some(traces), Some(parent)) = (traces, asked.sampled()) {
            let ended = clock::wall();
            let began = UnixNanos(ended.0.saturating_sub(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)));
            let facts = vec![
                ("http.request.method", Fact::text(method.to_string())),
                ("url.path", Fact::text(path)),
                ("http.response.status_code", Fact::Number(answer.status().as_u16().into())),
                ("tickwire.request_id", Fact::text(asked.id().to_owned())),
            ];
            traces.tell(parent.child(method.to_string(), (began, ended), facts));
        }
        if let Ok(id) = HeaderValue::from_str(asked.id()) {
            answer.headers_mut().insert(REQUEST_ID, id);
        }
    }
}

/// In a line of the log.
impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Origin {
    pub(crate) fn of(parts: &Parts) -> Self {
        Self { from: Peer::of(parts), asked: parts.extensions.get().cloned() }
    }
}

impl TraceParent {
    /// A span of ours in it.
    pub(crate) fn child(
        self,
        name: impl Into<Cow<'static, str>>,
        time: (UnixNanos, UnixNanos),
        facts: Vec<(&'static str, Fact)>,
    ) -> Span {
        let parent = Some(Parent::Theirs(self.span));
        Span { trace: self.trace, id: span_id(), parent, name: name.into(), time, facts }
    }

    /// Version 0, or what is known of a later one; nothing that is not well-formed.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if [version.len(), trace.len(), span.len(), flags.len()] != [2, 32, 16, 2]
            || version == "ff"
            || version == "00" && parts.next().is_some()
        {
            return None;
        }
        let lower = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if ![version, trace, span, flags].into_iter().all(lower) {
            return None;
        }
        let (trace, span) = (u128::from_str_radix(trace, 16).ok()?, u64::from_str_radix(span, 16).ok()?);
        let sampled = u8::from_str_radix(flags, 16).ok()? & 1 == 1;
        (trace != 0 && span != 0).then_some(Self { trace, span, sampled })
    }
}

/// The value of a header that is there once.
fn sole<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())?.to_str().ok()
}

/// What may stand in a line of a log, whoever made it up.
fn is_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    (1..=REQUEST_ID_MAX).contains(&text.len()) && text.bytes().all(is_plain)
}

/// An id that no other request has, as far as chance goes.
fn fresh() -> Box<str> {
    let random = || RandomState::new().hash_one(0_u8);
    format!("{:016x}{:016x}", random(), random()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[(&HeaderName, &str)]) -> Asked {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        Asked::of(&headers)
    }

    #[test]
    fn an_id_is_kept_where_it_is_one() {
        let long = "x".repeat(REQUEST_ID_MAX);
        for good in ["a", "7f-3.b_c:/+=@", &long] {
            assert_eq!(of(&[(&REQUEST_ID, good)]).id(), good);
        }
        let longer = "x".repeat(REQUEST_ID_MAX + 1);
        for bad in ["", "two words", "a\tb", "a\"b", "a\\b", &longer] {
            let made = of(&[(&REQUEST_ID, bad)]);
            assert!(made.id().len() == 32 && made.id() != bad, "{bad:?}: {made}");
        }
        assert_eq!(of(&[(&REQUEST_ID, "a"), (&REQUEST_ID, "b")]).id().len(), 32, "which of them?");
        assert_ne!(of(&[]).id(), of(&[]).id());
    }

    #[test]
    fn a_trace_is_gone_on_with_where_it_is_one() {
        const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
        let trace = |text: &str| of(&[(&TRACEPARENT, text)]).0.parent;
        let sampled = trace(&format!("00-{TRACE}-b7ad6b7169203331-01")).unwrap();
        assert_eq!((sampled.span, sampled.sampled), (0xb7ad_6b71_6920_3331, true));
        assert_eq!(
            of(&[(&TRACEPARENT, &format!("00-{TRACE}-b7ad6b7169203331-01"))]).trace_id().as_deref(),
            Some(TRACE)
        );
        assert!(!trace(&format!("00-{TRACE}-b7ad6b7169203331-00")).unwrap().sampled);
        // A later version may have more behind it, and other flags.
        assert!(trace(&format!("cc-{TRACE}-b7ad6b7169203331-03-more")).unwrap().sampled);
        for bad in [
            String::new(),
            format!("00-{TRACE}-b7ad6b7169203331"),
            format!("00-{TRACE}-b7ad6b7169203331-01-more"),
            format!("ff-{TRACE}-b7ad6b7169203331-01"),
            format!("00-{}-b7ad6b7169203331-01", TRACE.to_uppercase()),
            format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{TRACE}-+7ad6b7169203331-01"),
            format!("00-{TRACE}-b7ad6b7169203331-1"),
        ] {
            assert_eq!(trace(&bad), None, "{bad}");
        }
    }
}
