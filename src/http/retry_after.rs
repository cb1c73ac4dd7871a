use std::time::{Duration, SystemTime};

use http::HeaderMap;

/// Returns the wait that the `Retry-After` header requests, as seconds or as an HTTP date.
///
/// Returns `None` if there is no valid header, the longest wait if there are several, and zero for a date in
/// the past.
///
/// A date is by the server's clock, so it is compared with the response's `Date` header. `now` is used only
/// if that is missing, because the local clock may be wrong.
pub(super) fn read(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let date = headers.get(http::header::DATE).and_then(|value| value.to_str().ok());
    let now = date.and_then(|text| httpdate::parse_http_date(text.trim()).ok()).unwrap_or(now);
    headers
        .get_all(http::header::RETRY_AFTER)
        .iter()
        .filter_map(|value| parse(value.to_str().ok()?, now))
        .max()
}

fn parse(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit in a u64 still request a long wait.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    if let Ok(date) = httpdate::parse_http_date(text) {
        return Some(date.duration_since(now).unwrap_or_default());
    }
    // Not in the standard, but some servers send fractions. Rounded up, so that the wait is not too short.
    let seconds = text.parse::<f64>().ok().filter(|seconds| *seconds >= 0.0)?;
    Some(Duration::try_from_secs_f64(seconds.ceil()).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_header(text: &str) -> Option<Duration> {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(http::header::RETRY_AFTER, text.parse().unwrap());
        read(&headers, now)
    }

    #[test]
    fn date_is_relative_to_server_clock() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (date, wait) in
            [("Sun, 06 Nov 1994 08:47:37 GMT", 120), (" Sun, 06 Nov 1994 08:50:07 GMT ", 0), ("today", 30)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(http::header::DATE, date.parse().unwrap());
            headers.insert(http::header::RETRY_AFTER, "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
            let actual = read(&headers, now - Duration::from_secs(30));
            assert_eq!(actual, Some(Duration::from_secs(wait)), "{date}");
            headers.insert(http::header::RETRY_AFTER, "7".parse().unwrap());
            assert_eq!(read(&headers, now), Some(Duration::from_secs(7)), "{date}");
        }
    }

    #[test]
    fn parses_seconds_and_dates() {
        assert_eq!(read_header("120"), Some(Duration::from_secs(120)));
        assert_eq!(read_header(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(read_header("1.5"), Some(Duration::from_secs(2)));
        assert_eq!(read_header("Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(read_header("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(read_header("99999999999999999999999999"), Some(Duration::from_secs(u64::MAX)));
        for invalid in ["", "soon", "-5", "NaN", "1h"] {
            assert_eq!(read_header(invalid), None, "{invalid}");
        }
    }
}
