//! What the page's files are answered with.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

use super::{Asset, built};

const ASSETS: &[Asset] = &[
    Asset { path: "index.html", bytes: b"<!doctype html><title>page</title>" },
    Asset { path: "index.html.br", bytes: b"packed" },
    Asset { path: "assets/app-1.js", bytes: b"go()" },
    Asset { path: "ticker.js", bytes: b"element()" },
];

async fn ask(method: &str, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let page = TowerToHyperService::new(built::<()>(ASSETS));
    let (parts, body) = page.call(request.body(Body::empty()).unwrap()).await.unwrap().into_parts();
    (parts.status, parts.headers, to_bytes(body, 1 << 16).await.unwrap().to_vec())
}

#[tokio::test]
async fn who_has_a_file_is_not_sent_it_again() {
    let (status, headers, body) = ask("GET", "/", &[]).await;
    assert_eq!((status, &body[..]), (StatusCode::OK, ASSETS[0].bytes));
    let plain = headers["etag"].to_str().unwrap().to_owned();
    assert!(plain.starts_with('"') && plain.len() == 26, "{plain}");
    let (_, headers, body) = ask("GET", "/", &[("accept-encoding", "br")]).await;
    let packed = headers["etag"].to_str().unwrap().to_owned();
    assert_eq!((&body[..], packed == plain), (&b"packed"[..], false), "packed, it is another one");
    for had in [plain.clone(), format!("\"x\", W/{plain}"), "*".to_owned()] {
        let (status, headers, body) = ask("GET", "/", &[("if-none-match", &had)]).await;
        assert_eq!((status, body.len()), (StatusCode::NOT_MODIFIED, 0), "{had}");
        assert_eq!(headers["etag"], *plain);
        assert_eq!(headers["cache-control"], "no-cache");
        assert!(headers.contains_key("content-security-policy"));
    }
    for had in [&packed, "\"\"", ""] {
        assert_eq!(ask("GET", "/index.html", &[("if-none-match", had)]).await.0, StatusCode::OK, "{had}");
    }
    let answer = ask("GET", "/", &[("if-none-match", &packed), ("accept-encoding", "br")]).await;
    assert_eq!(answer.0, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn each_method_has_its_answer() {
    let (status, headers, body) = ask("HEAD", "/", &[]).await;
    assert_eq!((status, body.len()), (StatusCode::OK, 0));
    assert_eq!(headers["content-length"], ASSETS[0].bytes.len().to_string());
    assert_eq!(headers["content-type"], "text/html");
    for path in ["/", "/assets/app-1.js", "/ticker.js"] {
        let (status, headers, body) = ask("OPTIONS", path, &[]).await;
        assert_eq!((status, body.len()), (StatusCode::NO_CONTENT, 0), "{path}");
        assert_eq!(headers["allow"], "GET, HEAD, OPTIONS");
        for method in ["POST", "DELETE", "PROPFIND"] {
            let (status, headers, _) = ask(method, path, &[]).await;
            assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(headers["allow"], "GET, HEAD, OPTIONS");
        }
    }
    for method in ["GET", "HEAD", "OPTIONS", "POST"] {
        assert_eq!(ask(method, "/nothing", &[]).await.0, StatusCode::NOT_FOUND, "{method}");
    }
    let (_, headers, _) = ask("GET", "/assets/app-1.js", &[]).await;
    assert!(headers["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(ask("GET", "/ticker.js", &[]).await.1["access-control-allow-origin"], "*");
}
