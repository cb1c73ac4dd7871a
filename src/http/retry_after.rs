use std::time::{Duration, SystemTime};

use http::HeaderMap;

/// The wait that a `Retry-After` header asks for, given as seconds or as an HTTP date; `None` if there
/// is none that can be read. Of several, the longest. A date that has passed asks for no wait.
///
/// A date is one of the server's clock, so it is compared with that, as the answer's `Date` tells it. `now` is for
/// answers that do not: this machine's clock may be off.
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
        // More digits than a u64 holds still ask for a long wait, not for none.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    if let Ok(date) = httpdate::parse_http_date(text) {
        return Some(date.duration_since(now).unwrap_or_default());
    }
    // No standard has fractions, some servers do; rounded up, as a wait must not be undercut.
    let seconds = text.parse::<f64>().ok().filter(|seconds| *seconds >= 0.0)?;
    Some(Duration::try_from_secs_f64(seconds.ceil()).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<Duration> {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(http::header::RETRY_AFTER, text.parse().unwrap());
        read(&headers, now)
    }

    #[test]
    fn a_date_is_compared_with_the_servers_clock_if_that_is_told() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (date, wait) in
            [("Sun, 06 Nov 1994 08:47:37 GMT", 120), (" Sun, 06 Nov 1994 08:50:07 GMT ", 0), ("today", 30)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(http::header::DATE, date.parse().unwrap());
            headers.insert(http::header::RETRY_AFTER, "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
            let asked = read(&headers, now - Duration::from_secs(30));
            assert_eq!(asked, Some(Duration::from_secs(wait)), "{date}");
            headers.insert(http::header::RETRY_AFTER, "7".parse().unwrap());
            assert_eq!(read(&headers, now), Some(Duration::from_secs(7)), "{date}");
        }
    }

    #[test]
    fn seconds_dates_and_nonsense_are_told_apart() {
        assert_eq!(at("120"), Some(Duration::from_secs(120)));
        assert_eq!(at(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(at("1.5"), Some(Duration::from_secs(2)));
        assert_eq!(at("Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(at("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(at("99999999999999999999999999"), Some(Duration::from_secs(u64::MAX)));
        for nonsense in ["", "soon", "-5", "NaN", "1h"] {
            assert_eq!(at(nonsense), None, "{nonsense}");
        }
    }
}
