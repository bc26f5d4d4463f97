//! Who may ask: the Host that a request names, a token where the server listens to others, and
//! the headers that keep a browser from loading anything foreign.

use std::net::SocketAddr;

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            AUTHORIZATION, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::error::ApiError;

/// What the page may load: its own files and the pictures that it makes itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' blob: data:; connect-src 'self'; frame-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

/// What a request must name and bring.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    /// Names under which the server is reached, without a port; any, where a token guards it.
    hosts: Option<Vec<String>>,
    token: Option<String>,
}

impl Guard {
    /// For a server at this address. One that others reach needs a token, and may have any name;
    /// one on the loopback is reached under its own names only, so that a page elsewhere whose
    /// name was made to point here cannot read it.
    pub(crate) fn new(address: SocketAddr, token: Option<String>) -> Self {
        let own = ["localhost".to_owned(), "127.0.0.1".to_owned(), "[::1]".to_owned()];
        let hosts = address.ip().is_loopback().then(|| own.to_vec());
        Self { hosts, token }
    }

    fn check(&self, headers: &HeaderMap, query: Option<&str>) -> Result<(), ApiError> {
        let forbidden = |what: &str| ApiError::new(StatusCode::FORBIDDEN, what);
        if let Some(hosts) = &self.hosts {
            let named = headers.get(HOST).and_then(|host| host.to_str().ok());
            let is_own =
                |it: &str| hosts.iter().any(|own| own.eq_ignore_ascii_case(without_port(it)));
            if !named.is_some_and(is_own) {
                return Err(forbidden("the request names another host"));
            }
            // A page of another origin may send a form here without asking first.
            let origin = headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or("null"));
            let foreign = |it: &str| it.split_once("://").is_none_or(|(_, host)| !is_own(host));
            if origin.is_some_and(foreign) {
                return Err(forbidden("the request comes from another site's page"));
            }
        }
        let Some(token) = &self.token else { return Ok(()) };
        let bearer = headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
        let given = bearer
            .and_then(|it| it.strip_prefix("Bearer "))
            .or_else(|| cookie(headers))
            .or_else(|| query.and_then(token_of));
        match given.is_some_and(|given| equal(given.as_bytes(), token.as_bytes())) {
            true => Ok(()),
            false => Err(ApiError::new(StatusCode::UNAUTHORIZED, "the token is missing or wrong")
                .hint(
                    "send it as Authorization: Bearer TOKEN, or open the page with ?token=TOKEN",
                )),
        }
    }
}

/// Name of the cookie that the page keeps the token in.
const COOKIE: &str = "planet_token";

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get("cookie")?.to_str().ok()?;
    cookies.split(';').find_map(|it| it.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

fn token_of(query: &str) -> Option<&str> {
    query.split('&').find_map(|part| part.strip_prefix("token="))
}

fn without_port(host: &str) -> &str {
    match host.rfind(':') {
        // The colons of an IPv6 address stand within brackets.
        Some(at) if !host[at..].contains(']') => &host[..at],
        _ => host,
    }
}

/// In a time that does not tell where two tokens differ.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// Refuses who may not ask, and puts the security headers on every answer.
pub(crate) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let query = request.uri().query().map(str::to_owned);
    let mut response = match guard.check(request.headers(), query.as_deref()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    let is_success = response.status().is_success();
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &'static str); 4] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    // The page was opened with the token: its requests bring it as a cookie.
    if let (true, Some(token), Some(_)) =
        (is_success, &guard.token, query.as_deref().and_then(token_of))
        && let Ok(value) =
            HeaderValue::from_str(&format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/"))
    {
        headers.insert("set-cookie", value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let value = |it: &str| HeaderValue::from_str(it).expect("a value");
        all.iter().map(|(name, it)| (HeaderName::from_static(name), value(it))).collect()
    }

    #[test]
    fn a_loopback_server_is_reached_under_its_own_names_only() {
        let guard = Guard::new("127.0.0.1:8080".parse().expect("an address"), None);
        for host in ["localhost:8080", "127.0.0.1:8080", "LOCALHOST", "[::1]:8080"] {
            assert!(guard.check(&headers(&[("host", host)]), None).is_ok(), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:8080", "", "127.0.0.1.evil.example"] {
            assert!(guard.check(&headers(&[("host", host)]), None).is_err(), "{host}");
        }
        assert!(guard.check(&headers(&[]), None).is_err());
        let from = |origin| headers(&[("host", "localhost"), ("origin", origin)]);
        assert!(guard.check(&from("http://localhost:8080"), None).is_ok());
        for origin in ["http://evil.example", "null"] {
            assert!(guard.check(&from(origin), None).is_err(), "{origin}");
        }
    }

    #[test]
    fn a_server_for_others_wants_its_token() {
        let address = "0.0.0.0:80".parse().expect("an address");
        let guard = Guard::new(address, Some("secret".to_owned()));
        assert!(guard.check(&headers(&[]), None).is_err());
        assert!(guard.check(&headers(&[]), Some("a=b&token=secret")).is_ok());
        assert!(guard.check(&headers(&[("authorization", "Bearer secret")]), None).is_ok());
        assert!(guard.check(&headers(&[("authorization", "Bearer secrets")]), None).is_err());
        assert!(guard.check(&headers(&[("cookie", "a=b; planet_token=secret")]), None).is_ok());
    }
}
