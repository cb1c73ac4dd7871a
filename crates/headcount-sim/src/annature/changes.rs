//! Creating and changing accounts.

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::api_error::ApiError;
use super::routes::{AnnatureState, Caller};
use crate::message::{SimRequest, SimResponse};
use crate::pipeline::lock;
use crate::{clock, rng};

impl AnnatureState {
    /// `POST /v1/accounts`: creates an account in the caller's organisation.
    pub(crate) fn create(&self, caller: &Caller, request: &SimRequest) -> Result<SimResponse, ApiError> {
        let body = JsonBody::parse(request)?;
        if body.flag("skip_verification")?.is_some() && !caller.partner {
            return Err(ApiError::SkipNeedsPartner);
        }
        let registry = &mut *lock(&self.registry);
        let organisation = caller.organisation.as_ref().unwrap_or(&self.organisation);
        let (role, group) = (body.role()?.unwrap_or("standard"), body.text("group_id")?);
        let account = self.new_account(registry, &body, organisation, role, group)?;
        let registered = caller.organisation.is_some();
        let world = if registered { &self.partner_world } else { &*self.world };
        lock(world).insert_from_request(account.clone());
        Ok(SimResponse::json(StatusCode::CREATED, &account))
    }

    /// `POST /v1/accounts/register`: creates an organisation, its first account, and its API key.
    pub(crate) fn register(&self, caller: &Caller, request: &SimRequest) -> Result<SimResponse, ApiError> {
        if !caller.partner {
            return Err(ApiError::RegisterNeedsPartner);
        }
        let body = JsonBody::parse(request)?;
        body.required("business")?;
        let registry = &mut *lock(&self.registry);
        let registered = registry.register();
        let account = self.new_account(registry, &body, &registered.organisation, "administrator", None);
        let mut account = account.inspect_err(|_| drop(registry.registered.pop()))?;
        lock(&self.partner_world).insert_from_request(account.clone());
        if let Some(members) = account.as_object_mut() {
            let credentials = json!({"id": registered.id, "key": registered.key});
            members.insert("credentials".to_owned(), credentials);
        }
        Ok(SimResponse::json(StatusCode::CREATED, &account))
    }

    /// Builds a new account from a request body, without inserting it.
    fn new_account(
        &self,
        registry: &mut Registry,
        body: &JsonBody,
        organisation: &str,
        role: &str,
        group: Option<&str>,
    ) -> Result<Value, ApiError> {
        let name = body.required("name")?;
        body.required("email")?;
        let email = body.email()?.unwrap_or_default();
        body.text("password")?;
        let (number, timezone) = (body.text("number")?, body.timezone()?);
        let skip = body.flag("skip_verification")?.unwrap_or(false);
        self.check_unique(email, None)?;
        if !skip {
            registry.mails.push(email.to_owned());
        }
        let now = clock::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        Ok(json!({
            "id": registry.new_id(),
            "name": name,
            "email": email,
            "number": number,
            "timezone": timezone,
            "role": role,
            "active": true,
            "group_id": group,
            "organisation_id": organisation,
            "created": now,
            "verified": skip.then_some(&now),
        }))
    }

    /// `PUT /v1/accounts/{id}`: changes the given fields. A changed email address must be confirmed first.
    pub(crate) fn change(
        &self,
        caller: &Caller,
        id: &str,
        request: &SimRequest,
    ) -> Result<SimResponse, ApiError> {
        let account = self.find(caller, id)?;
        let body = JsonBody::parse(request)?;
        let changes = [
            ("name", body.text("name")?),
            ("number", body.text("number")?),
            ("timezone", body.timezone()?),
            ("role", body.role()?),
            ("group_id", body.text("group_id")?),
        ];
        let registry = &mut *lock(&self.registry);
        let email = body.email()?.filter(|email| account.get("email").and_then(Value::as_str) != Some(email));
        if let Some(email) = email {
            self.check_unique(email, Some(id))?;
            registry.mails.push(email.to_owned());
            registry.pending.insert(id.to_owned(), email.to_owned());
        }
        self.update(caller, id, |account| {
            for (name, value) in changes {
                if let Some(value) = value {
                    account[name] = value.into();
                }
            }
        })?;
        Ok(SimResponse::json(StatusCode::OK, &self.find(caller, id)?))
    }

    /// `POST /v1/accounts/{id}/verification`: sends an email, unless the account is verified.
    pub(crate) fn verification(&self, caller: &Caller, id: &str) -> Result<SimResponse, ApiError> {
        let account = self.find(caller, id)?;
        if account.get("verified").is_some_and(|verified| !verified.is_null()) {
            return Err(ApiError::AlreadyVerified);
        }
        let email = account.get("email").and_then(Value::as_str).unwrap_or_default();
        lock(&self.registry).mails.push(email.to_owned());
        Ok(SimResponse::empty(StatusCode::NO_CONTENT))
    }

    /// `POST /v1/accounts/{id}/deactivate` and `…/restore`: sets `active`.
    pub(crate) fn set_active(
        &self,
        caller: &Caller,
        id: &str,
        active: bool,
    ) -> Result<SimResponse, ApiError> {
        self.update(caller, id, |account| account["active"] = active.into())?;
        Ok(SimResponse::empty(StatusCode::NO_CONTENT))
    }

    /// Confirms a changed email address. Returns false if there is none to confirm, or if another account has
    /// it.
    pub(crate) fn confirm_email(&self, id: &str) -> bool {
        let Some(email) = lock(&self.registry).pending.remove(id) else {
            return false;
        };
        let free = self.check_unique(&email, Some(id)).is_ok();
        let set = |account: &mut Value| account["email"] = email.as_str().into();
        free && (lock(&self.world).update_from_request(id, set)
            || lock(&self.partner_world).update_from_request(id, set))
    }

    /// Rejects an email address that another account of any organisation has.
    fn check_unique(&self, email: &str, own: Option<&str>) -> Result<(), ApiError> {
        let taken = [&*self.world, &self.partner_world].into_iter().any(|world| {
            let world = lock(world);
            (0..world.len()).filter(|at| own.is_none_or(|own| world.id_at(*at).as_deref() != Some(own))).any(
                |at| {
                    let record = world.record_at(at);
                    let other = record.get("email").and_then(Value::as_str);
                    other.is_some_and(|other| other.eq_ignore_ascii_case(email))
                },
            )
        });
        if taken { Err(ApiError::EmailTaken) } else { Ok(()) }
    }
}

const ROLES: [&str; 3] = ["administrator", "standard", "read-only"];

/// The members of a JSON request body. Unknown members are ignored.
pub(crate) struct JsonBody(Map<String, Value>);

impl JsonBody {
    pub(crate) fn parse(request: &SimRequest) -> Result<Self, ApiError> {
        if !request.has_media_type("application/json") {
            return Err(ApiError::NotJson);
        }
        match serde_json::from_slice(&request.body) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            _ => Err(ApiError::BadBody),
        }
    }

    /// Returns an optional string member, which must be neither blank nor null.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text)),
            Some(_) => Err(ApiError::Invalid(format!("{name} must be a string that is not empty"))),
        }
    }

    /// Returns a required string member.
    pub(crate) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.text(name)?.ok_or_else(|| ApiError::Invalid(format!("{name} is required")))
    }

    /// Returns an optional boolean member.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(ApiError::Invalid(format!("{name} must be true or false"))),
        }
    }

    /// Returns the email address, which must have a local part and a host.
    pub(crate) fn email(&self) -> Result<Option<&str>, ApiError> {
        let email = self.text("email")?;
        let is_address = |text: &str| {
            text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        };
        if email.is_some_and(|email| !is_address(email)) {
            return Err(ApiError::Invalid("email must be an e-mail address".to_owned()));
        }
        Ok(email)
    }

    /// Returns the time zone, a "6-digit UTC offset".
    pub(crate) fn timezone(&self) -> Result<Option<&str>, ApiError> {
        let zone = self.text("timezone")?;
        let is_offset = |text: &str| match text.as_bytes() {
            [b'+' | b'-', hours @ .., b':', ten, one] if hours.len() == 2 => {
                hours.iter().chain([ten, one]).all(u8::is_ascii_digit)
            }
            _ => false,
        };
        if zone.is_some_and(|zone| !is_offset(zone)) {
            return Err(ApiError::Invalid(
                "timezone must be a 6-digit UTC offset, such as +10:00".to_owned(),
            ));
        }
        Ok(zone)
    }

    /// Returns the role, which must be a documented one.
    pub(crate) fn role(&self) -> Result<Option<&str>, ApiError> {
        let role = self.text("role")?;
        if role.is_some_and(|role| !ROLES.contains(&role)) {
            return Err(ApiError::Invalid(format!("role must be one of {}", ROLES.join(", "))));
        }
        Ok(role)
    }
}

/// The state of changes. Locked during each change, so that changes are serialized.
#[derive(Debug)]
pub(crate) struct Registry {
    seed: u64,
    issued: u64,
    /// The recipients of the emails sent.
    pub(crate) mails: Vec<String>,
    /// Unconfirmed email addresses, by account id.
    pub(crate) pending: BTreeMap<String, String>,
    /// The registered organisations.
    pub(crate) registered: Vec<Registered>,
}

/// A registered organisation and its API key.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) organisation: String,
    pub(crate) id: String,
    pub(crate) key: String,
}

impl Registry {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, issued: 0, mails: Vec::new(), pending: BTreeMap::new(), registered: Vec::new() }
    }

    /// Returns a new id.
    pub(crate) fn new_id(&mut self) -> String {
        self.issued += 1;
        rng::hex_id(&mut rng::seeded(self.seed ^ 0x1ED6, self.issued))
    }

    /// Registers an organisation.
    pub(crate) fn register(&mut self) -> Registered {
        let (organisation, id, key) = (self.new_id(), self.new_id(), self.new_id());
        let registered = Registered { organisation, id, key };
        self.registered.push(registered.clone());
        registered
    }

    /// Returns the registered organisation with this public key.
    pub(crate) fn by_key_id(&self, id: &str) -> Option<&Registered> {
        self.registered.iter().find(|registered| registered.id == id)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn timezone_is_a_utc_offset() {
        let zone = |text: &str| {
            let Value::Object(members) = json!({"timezone": text}) else { panic!("not an object") };
            JsonBody(members).timezone().is_ok()
        };
        for valid in ["+10:00", "-03:30"] {
            assert!(zone(valid), "{valid}");
        }
        for invalid in ["10:00", "+1000", "+1:00", "+100:00", "Australia/Perth", "+aa:00", "Z"] {
            assert!(!zone(invalid), "{invalid}");
        }
    }
}
