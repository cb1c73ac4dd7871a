//! The APIs of the service, as the gateway tells them apart.

use http::Method;

const ACCOUNTS: &str = "/v1/organizations/accounts";
const RESOURCE_ACCOUNTS: &str = "/v2/organizations/accounts";
const CREATIONS: &str = "/v1/organizations/create-account-status";
const CLOSURES: &str = "/v1/organizations/close-account-status";
const ENTITIES: &str = "/v1/organizations/entities";

/// An API, with the id in its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api<'a> {
    ListAccounts,
    ShowAccount(&'a str),
    UpdateAccount(&'a str),
    CreateAccount,
    CreateResourceAccount,
    CloseAccount(&'a str),
    RemoveAccount(&'a str),
    MoveAccount(&'a str),
    InviteAccount,
    ListCreations,
    ShowCreation(&'a str),
    ListClosures,
    ListEntities,
    ListDelegatedServices(&'a str),
}

impl<'a> Api<'a> {
    /// The API that a request means, if there is one.
    pub(crate) fn of(method: &Method, route: &'a str) -> Option<Self> {
        let (get, post) = (*method == Method::GET, *method == Method::POST);
        match route {
            ACCOUNTS if get => return Some(Self::ListAccounts),
            ACCOUNTS if post => return Some(Self::CreateAccount),
            RESOURCE_ACCOUNTS if post => return Some(Self::CreateResourceAccount),
            CREATIONS if get => return Some(Self::ListCreations),
            CLOSURES if get => return Some(Self::ListClosures),
            ENTITIES if get => return Some(Self::ListEntities),
            _ => {}
        }
        if let Some(id) = below(route, CREATIONS) {
            return (get && !id.contains('/')).then_some(Self::ShowCreation(id));
        }
        match below(route, ACCOUNTS)?.split_once('/') {
            None if get => Some(Self::ShowAccount(below(route, ACCOUNTS)?)),
            None if post => (below(route, ACCOUNTS)? == "invite").then_some(Self::InviteAccount),
            None => (*method == Method::PATCH).then_some(Self::UpdateAccount(below(route, ACCOUNTS)?)),
            Some((id, "close")) if post => Some(Self::CloseAccount(id)),
            Some((id, "remove")) if post => Some(Self::RemoveAccount(id)),
            Some((id, "move")) if post => Some(Self::MoveAccount(id)),
            Some((id, "delegated-services")) if get => Some(Self::ListDelegatedServices(id)),
            Some(_) => None,
        }
    }

    /// The IAM action that a policy may deny; two APIs have none.
    pub(crate) fn action(self) -> Option<&'static str> {
        Some(match self {
            Self::ListAccounts => "organizations:accounts:list",
            Self::ShowAccount(_) => "organizations:accounts:get",
            Self::UpdateAccount(_) => "organizations:accounts:update",
            Self::CreateAccount => "organizations:accounts:create",
            Self::CreateResourceAccount | Self::CloseAccount(_) => return None,
            Self::RemoveAccount(_) => "organizations:accounts:remove",
            Self::MoveAccount(_) => "organizations:accounts:move",
            Self::InviteAccount => "organizations:accounts:invite",
            Self::ListCreations => "organizations:createAccountStatuses:list",
            Self::ShowCreation(_) => "organizations:createAccountStatuses:get",
            Self::ListClosures => "organizations:closeAccountStatuses:list",
            Self::ListEntities => "organizations:entities:list",
            Self::ListDelegatedServices(_) => "organizations:delegatedServices:list",
        })
    }

    /// Whether it changes something, and so is for the management account only.
    pub(crate) fn changes(self) -> bool {
        match self {
            Self::UpdateAccount(_)
            | Self::CreateAccount
            | Self::CreateResourceAccount
            | Self::CloseAccount(_)
            | Self::RemoveAccount(_)
            | Self::MoveAccount(_)
            | Self::InviteAccount => true,
            Self::ListAccounts
            | Self::ShowAccount(_)
            | Self::ListCreations
            | Self::ShowCreation(_)
            | Self::ListClosures
            | Self::ListEntities
            | Self::ListDelegatedServices(_) => false,
        }
    }
}

/// What stands in a route below a path.
fn below<'a>(route: &'a str, path: &str) -> Option<&'a str> {
    route.strip_prefix(path)?.strip_prefix('/').filter(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_route_and_method_means_one_api_or_none() {
        for (method, route, api) in [
            (Method::GET, "/v1/organizations/accounts", Some(Api::ListAccounts)),
            (Method::POST, "/v1/organizations/accounts", Some(Api::CreateAccount)),
            (Method::DELETE, "/v1/organizations/accounts", None),
            (Method::POST, "/v2/organizations/accounts", Some(Api::CreateResourceAccount)),
            (Method::GET, "/v2/organizations/accounts", None),
            (Method::GET, "/v1/organizations/accounts/a", Some(Api::ShowAccount("a"))),
            (Method::GET, "/v1/organizations/accounts/", None),
            (Method::PATCH, "/v1/organizations/accounts/a", Some(Api::UpdateAccount("a"))),
            (Method::POST, "/v1/organizations/accounts/a", None),
            (Method::POST, "/v1/organizations/accounts/invite", Some(Api::InviteAccount)),
            (Method::POST, "/v1/organizations/accounts/a/close", Some(Api::CloseAccount("a"))),
            (Method::GET, "/v1/organizations/accounts/a/close", None),
            (Method::POST, "/v1/organizations/accounts/a/close/b", None),
            (Method::GET, "/v1/organizations/create-account-status/a", Some(Api::ShowCreation("a"))),
            (Method::GET, "/v1/organizations/create-account-status/a/b", None),
            (Method::GET, "/v1/organizations/close-account-status/a", None),
        ] {
            assert_eq!(Api::of(&method, route), api, "{method} {route}");
        }
    }
}
