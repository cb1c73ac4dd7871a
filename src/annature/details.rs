use serde::Serialize;

use super::Role;
use crate::{Error, Result};

/// What can be told of a person; what is `None` is not sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timezone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group_id: Option<String>,
}

impl Details {
    pub(super) fn check(&self) -> Result<()> {
        given("name", self.name.as_deref())?;
        given("number", self.number.as_deref())?;
        given("role", self.role.as_ref().map(Role::as_str))?;
        given("group_id", self.group_id.as_deref())?;
        if self.email.as_ref().is_some_and(|email| !is_address(email)) {
            return Err(Error::config("the email is no e-mail address; expected name@host"));
        }
        if self.timezone.as_ref().is_some_and(|timezone| !is_offset(timezone)) {
            return Err(Error::config(
                "the timezone is no offset from UTC; expected ±HH:MM, such as +10:00, and no name of a zone",
            ));
        }
        Ok(())
    }
}

/// Refuses an empty value: whether the provider takes it for none is not documented.
pub(super) fn given(name: &str, value: Option<&str>) -> Result<()> {
    if value.is_some_and(|value| value.trim().is_empty()) {
        return Err(Error::config(format!("the {name} is empty; expected some text, or none to be set")));
    }
    Ok(())
}

/// As much as can be said of an address without knowing which ones the provider takes.
fn is_address(text: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control();
    !text.contains(odd)
        && text.rsplit_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
}

/// An offset as the reference has it: a sign, two digits, a colon, two digits. Clocks on Earth are at most 14
/// hours away from UTC.
fn is_offset(text: &str) -> bool {
    let part = |digits: &str| match digits.as_bytes() {
        [b'0'..=b'9', b'0'..=b'9'] => digits.parse::<u8>().ok(),
        _ => None,
    };
    let unsigned = text.strip_prefix(['+', '-']).and_then(|rest| rest.split_once(':'));
    let parts = unsigned.and_then(|(hours, minutes)| Some((part(hours)?, part(minutes)?)));
    parts.is_some_and(|(hours, minutes)| minutes < 60 && (hours < 14 || (hours, minutes) == (14, 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timezone_is_an_offset_and_no_name() {
        for good in ["+10:00", "+10:30", "-03:30", "+05:45", "+00:00", "-00:00", "+14:00", "-12:00"] {
            assert!(is_offset(good), "{good}");
        }
        for bad in [
            "",
            "Z",
            "10:00",
            "+10",
            "+1000",
            "+10:0",
            "+10:60",
            "+14:01",
            "+99:00",
            "+1:000",
            "+10:+1",
            "Australia/Brisbane",
            " +10:00",
            "+10:00 ",
            "−10:00",
            "+１０:00",
            "++1:00",
        ] {
            assert!(!is_offset(bad), "{bad}");
        }
    }

    #[test]
    fn an_address_has_a_name_and_a_host() {
        for good in ["ted@annature.com.au", "a+b&c@x", "\"a@b\"@example.com", "zoë@exämple.de"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "ted", "@host", "ted@", "ted @host", "ted@ho\nst", "ted@host\u{0}"] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn only_what_is_set_is_sent() {
        let json = |details: &Details| serde_json::to_string(details).unwrap();
        assert_eq!(json(&Details::default()), "{}");
        let details =
            Details { number: Some("1300 000 000".into()), role: Some(Role::ReadOnly), ..Details::default() };
        assert_eq!(json(&details), r#"{"number":"1300 000 000","role":"read-only"}"#);
    }
}
