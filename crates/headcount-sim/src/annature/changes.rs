//! What makes and changes accounts.

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::routes::{Caller, Workspace};
use crate::exchange::{Incoming, Reply};
use crate::gate::lock;
use crate::{clock, seed};

impl Workspace {
    /// `POST /v1/accounts`: an account in the organisation that the keys belong to.
    pub(crate) fn create(&self, caller: &Caller, incoming: &Incoming) -> Result<Reply, Refusal> {
        let form = Form::new(incoming)?;
        if form.flag("skip_verification")?.is_some() && !caller.partner {
            return Err(Refusal::SkipNeedsPartner);
        }
        let ledger = &mut *lock(&self.ledger);
        let organisation = caller.organisation.as_ref().unwrap_or(&self.organisation);
        let (role, group) = (form.role()?.unwrap_or("standard"), form.text("group_id")?);
        let account = self.account(ledger, &form, organisation, role, group)?;
        let registered = caller.organisation.is_some();
        let world = if registered { &self.partner_world } else { &*self.world };
        lock(world).make(account.clone());
        Ok(Reply::json(StatusCode::CREATED, &account))
    }

    /// `POST /v1/accounts/register`: an organisation, its first account, and its key.
    pub(crate) fn register(&self, caller: &Caller, incoming: &Incoming) -> Result<Reply, Refusal> {
        if !caller.partner {
            return Err(Refusal::RegisterNeedsPartner);
        }
        let form = Form::new(incoming)?;
        form.required("business")?;
        let ledger = &mut *lock(&self.ledger);
        let registered = ledger.register();
        let account = self.account(ledger, &form, &registered.organisation, "administrator", None);
        let mut account = account.inspect_err(|_| drop(ledger.registered.pop()))?;
        lock(&self.partner_world).make(account.clone());
        if let Some(members) = account.as_object_mut() {
            let credentials = json!({"id": registered.id, "key": registered.key});
            members.insert("credentials".to_owned(), credentials);
        }
        Ok(Reply::json(StatusCode::CREATED, &account))
    }

    /// A new account as a form asks for it, in no world yet.
    fn account(
        &self,
        ledger: &mut Ledger,
        form: &Form,
        organisation: &str,
        role: &str,
        group: Option<&str>,
    ) -> Result<Value, Refusal> {
        let name = form.required("name")?;
        form.required("email")?;
        let email = form.email()?.unwrap_or_default();
        form.text("password")?;
        let (number, timezone) = (form.text("number")?, form.timezone()?);
        let skip = form.flag("skip_verification")?.unwrap_or(false);
        self.check_unique(email, None)?;
        if !skip {
            ledger.mails.push(email.to_owned());
        }
        let now = clock::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        Ok(json!({
            "id": ledger.new_id(),
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

    /// `PUT /v1/accounts/{id}`: only what is in the body. An address has to be confirmed first.
    pub(crate) fn change(&self, caller: &Caller, id: &str, incoming: &Incoming) -> Result<Reply, Refusal> {
        let account = self.find(caller, id)?;
        let form = Form::new(incoming)?;
        let changes = [
            ("name", form.text("name")?),
            ("number", form.text("number")?),
            ("timezone", form.timezone()?),
            ("role", form.role()?),
            ("group_id", form.text("group_id")?),
        ];
        let ledger = &mut *lock(&self.ledger);
        let email = form.email()?.filter(|email| account.get("email").and_then(Value::as_str) != Some(email));
        if let Some(email) = email {
            self.check_unique(email, Some(id))?;
            ledger.mails.push(email.to_owned());
            ledger.pending.insert(id.to_owned(), email.to_owned());
        }
        self.set(caller, id, |account| {
            for (name, value) in changes {
                if let Some(value) = value {
                    account[name] = value.into();
                }
            }
        })?;
        Ok(Reply::json(StatusCode::OK, &self.find(caller, id)?))
    }

    /// `POST /v1/accounts/{id}/verification`: only while the account is not verified.
    pub(crate) fn verification(&self, caller: &Caller, id: &str) -> Result<Reply, Refusal> {
        let account = self.find(caller, id)?;
        if account.get("verified").is_some_and(|verified| !verified.is_null()) {
            return Err(Refusal::Verified);
        }
        let email = account.get("email").and_then(Value::as_str).unwrap_or_default();
        lock(&self.ledger).mails.push(email.to_owned());
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    }

    /// `POST /v1/accounts/{id}/deactivate` and `…/restore`.
    pub(crate) fn activate(&self, caller: &Caller, id: &str, active: bool) -> Result<Reply, Refusal> {
        self.set(caller, id, |account| account["active"] = active.into())?;
        Ok(Reply::empty(StatusCode::NO_CONTENT))
    }

    /// Takes a changed address into use, as its mail's link does. False when there is none to confirm, or
    /// when another account has it by now.
    pub(crate) fn confirm(&self, id: &str) -> bool {
        let Some(email) = lock(&self.ledger).pending.remove(id) else {
            return false;
        };
        let free = self.check_unique(&email, Some(id)).is_ok();
        let set = |account: &mut Value| account["email"] = email.as_str().into();
        free && (lock(&self.world).change(id, set) || lock(&self.partner_world).change(id, set))
    }

    /// Refuses an address that an account of any organisation has, but for one's own.
    fn check_unique(&self, email: &str, own: Option<&str>) -> Result<(), Refusal> {
        let taken = [&*self.world, &self.partner_world].into_iter().any(|world| {
            let world = lock(world);
            (0..world.len()).filter(|at| own.is_none_or(|own| world.id_at(*at).as_deref() != Some(own))).any(
                |at| {
                    let record = world.at(at);
                    let other = record.get("email").and_then(Value::as_str);
                    other.is_some_and(|other| other.eq_ignore_ascii_case(email))
                },
            )
        });
        if taken { Err(Refusal::EmailTaken) } else { Ok(()) }
    }
}

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

/// Held for as long as a change takes, so that changes come one after another.
#[derive(Debug)]
pub(crate) struct Ledger {
    seed: u64,
    made: u64,
    /// The addresses that mails went to.
    pub(crate) mails: Vec<String>,
    /// New addresses that are not confirmed yet, by account.
    pub(crate) pending: BTreeMap<String, String>,
    /// The organisations that partners have registered.
    pub(crate) registered: Vec<Registered>,
}

/// An organisation with an API key of its own.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) organisation: String,
    pub(crate) id: String,
    pub(crate) key: String,
}

impl Ledger {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, made: 0, mails: Vec::new(), pending: BTreeMap::new(), registered: Vec::new() }
    }

    /// An id that was not there before.
    pub(crate) fn new_id(&mut self) -> String {
        self.made += 1;
        seed::hex_id(&mut seed::rng(self.seed ^ 0x1ED6, self.made))
    }

    pub(crate) fn register(&mut self) -> Registered {
        let (organisation, id, key) = (self.new_id(), self.new_id(), self.new_id());
        let registered = Registered { organisation, id, key };
        self.registered.push(registered.clone());
        registered
    }

    /// The registered organisation that a public key belongs to.
    pub(crate) fn keys(&self, id: &str) -> Option<&Registered> {
        self.registered.iter().find(|registered| registered.id == id)
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
