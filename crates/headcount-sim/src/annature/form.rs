//! The body of a request that changes something, checked as far as the reference says what it holds.

use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::exchange::Incoming;

const ROLES: [&str; 3] = ["administrator", "standard", "read-only"];

/// The members of a body. Those that the reference does not know are passed over.
pub(crate) struct Form(Map<String, Value>);

impl Form {
    pub(crate) fn new(incoming: &Incoming) -> Result<Self, Refusal> {
        if !incoming.is_of("application/json") {
            return Err(Refusal::NoJson);
        }
        match serde_json::from_slice(&incoming.body) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            _ => Err(Refusal::BadBody),
        }
    }

    /// Text that may be left out, but is neither empty nor null.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text)),
            Some(_) => Err(Refusal::Invalid(format!("{name} must be a string that is not empty"))),
        }
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name)?.ok_or_else(|| Refusal::Invalid(format!("{name} is required")))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(Refusal::Invalid(format!("{name} must be true or false"))),
        }
    }

    /// An e-mail address, of which no more is asked than that it has a name and a host.
    pub(crate) fn email(&self) -> Result<Option<&str>, Refusal> {
        let email = self.text("email")?;
        let is_address = |text: &str| {
            text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        };
        if email.is_some_and(|email| !is_address(email)) {
            return Err(Refusal::Invalid("email must be an e-mail address".to_owned()));
        }
        Ok(email)
    }

    /// A "6-digit UTC offset".
    pub(crate) fn timezone(&self) -> Result<Option<&str>, Refusal> {
        let zone = self.text("timezone")?;
        let is_offset = |text: &str| match text.as_bytes() {
            [b'+' | b'-', hours @ .., b':', ten, one] if hours.len() == 2 => {
                hours.iter().chain([ten, one]).all(u8::is_ascii_digit)
            }
            _ => false,
        };
        if zone.is_some_and(|zone| !is_offset(zone)) {
            return Err(Refusal::Invalid("timezone must be a 6-digit UTC offset, such as +10:00".to_owned()));
        }
        Ok(zone)
    }

    pub(crate) fn role(&self) -> Result<Option<&str>, Refusal> {
        let role = self.text("role")?;
        if role.is_some_and(|role| !ROLES.contains(&role)) {
            return Err(Refusal::Invalid(format!("role must be one of {}", ROLES.join(", "))));
        }
        Ok(role)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_offset_has_six_characters() {
        let zone = |text: &str| {
            let Value::Object(members) = json!({"timezone": text}) else { panic!("no object") };
            Form(members).timezone().is_ok()
        };
        for good in ["+10:00", "-03:30"] {
            assert!(zone(good), "{good}");
        }
        for bad in ["10:00", "+1000", "+1:00", "+100:00", "Australia/Perth", "+aa:00", "Z"] {
            assert!(!zone(bad), "{bad}");
        }
    }
}
