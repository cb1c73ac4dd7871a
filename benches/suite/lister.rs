//! Methods of listing all accounts of a server.

use std::{any::Any, hint::black_box};

use futures::{Stream, TryStreamExt};
use headcount::{huawei, sailpoint};

use super::{
    by_hand,
    rows::{HUAWEI_PAGE_SIZE, SAILPOINT_PAGE_SIZE},
};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    Huawei,
    SailPoint,
}

impl Provider {
    pub(crate) const ALL: [Self; 2] = [Self::Huawei, Self::SailPoint];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Huawei => "Huawei",
            Self::SailPoint => "SailPoint",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.name() == name)
    }

    pub(crate) fn page_size(self) -> u64 {
        match self {
            Self::Huawei => HUAWEI_PAGE_SIZE,
            Self::SailPoint => SAILPOINT_PAGE_SIZE,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// Only creates the client.
    Nothing,
    Bytes,
    ByHand,
    Items,
    IntoAccounts,
    Ahead,
    Concurrent(usize),
}

impl Method {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Nothing => "nothing".to_owned(),
            Self::Bytes => "bytes fetched, nothing decoded".to_owned(),
            Self::ByHand => "by hand".to_owned(),
            Self::Items => "`items()`".to_owned(),
            Self::IntoAccounts => "`into_accounts().items()`".to_owned(),
            Self::Ahead => "`ahead(1)`".to_owned(),
            Self::Concurrent(width) => format!("`concurrent({width})`"),
        }
    }

    /// Parses a [`name`](Self::name), for the separate process.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let methods =
            [Self::Nothing, Self::Bytes, Self::ByHand, Self::Items, Self::IntoAccounts, Self::Ahead];
        methods.into_iter().find(|method| method.name() == name)
    }
}

enum Client {
    Reqwest(reqwest::Client),
    Huawei(huawei::Client),
    SailPoint(sailpoint::Client),
}

/// Lists all accounts of a server with one method and its own client.
pub(crate) struct Lister {
    provider: Provider,
    method: Method,
    url: String,
    client: Client,
}

impl Lister {
    pub(crate) fn new(provider: Provider, method: Method, url: &str) -> Self {
        let client = match (method, provider) {
            (Method::Bytes | Method::ByHand, _) => {
                Client::Reqwest(reqwest::Client::builder().no_proxy().build().expect("a client"))
            }
            (_, Provider::Huawei) => Client::Huawei(huawei_client(url)),
            (_, Provider::SailPoint) => Client::SailPoint(sailpoint_client(url)),
        };
        Self { provider, method, url: url.to_owned(), client }
    }

    /// Lists and visits all accounts. Returns their number, which is assumed from the pages if nothing is
    /// decoded.
    pub(crate) async fn list(&self) -> u64 {
        match &self.client {
            _ if self.method == Method::Nothing => 0,
            Client::Reqwest(http) => self.list_by_hand(http).await,
            Client::Huawei(client) => {
                let list = client.list_accounts().limit(2000);
                match self.method {
                    Method::IntoAccounts => count(list.into_accounts().items()).await,
                    Method::Ahead => count(list.pages().ahead(1).items()).await,
                    _ => count(list.items()).await,
                }
            }
            Client::SailPoint(client) => {
                let list = client.list_accounts();
                match self.method {
                    Method::IntoAccounts => count(list.into_accounts().items()).await,
                    Method::Ahead => count(list.pages().ahead(1).items()).await,
                    Method::Concurrent(width) => count(list.pages().concurrent(width).items()).await,
                    _ => count(list.items()).await,
                }
            }
        }
    }

    /// Lists all accounts and returns the collected pages.
    pub(crate) async fn collect(&self) -> Box<dyn Any + Send> {
        match (&self.client, self.provider) {
            (Client::Reqwest(http), Provider::Huawei) => {
                let mut pages = Vec::new();
                by_hand::huawei(http, &self.url, |page| pages.push(page)).await;
                Box::new(pages)
            }
            (Client::Reqwest(http), Provider::SailPoint) => {
                let mut pages = Vec::new();
                by_hand::sailpoint(http, &self.url, |page| pages.push(page)).await;
                Box::new(pages)
            }
            (Client::Huawei(client), _) => {
                let pages = client.list_accounts().limit(2000).pages();
                Box::new(pages.try_collect::<Vec<_>>().await.expect("a complete list"))
            }
            (Client::SailPoint(client), _) => {
                let pages = client.list_accounts().pages();
                Box::new(pages.try_collect::<Vec<_>>().await.expect("a complete list"))
            }
        }
    }

    async fn list_by_hand(&self, http: &reqwest::Client) -> u64 {
        let mut count = 0;
        match (self.method, self.provider) {
            (Method::Bytes, Provider::Huawei) => {
                count = by_hand::huawei_bytes(http, &self.url).await * HUAWEI_PAGE_SIZE;
            }
            (Method::Bytes, Provider::SailPoint) => {
                count = by_hand::sailpoint_bytes(http, &self.url).await * SAILPOINT_PAGE_SIZE;
            }
            (_, Provider::Huawei) => {
                by_hand::huawei(http, &self.url, |page| count += by_hand::visit(page)).await;
            }
            (_, Provider::SailPoint) => {
                by_hand::sailpoint(http, &self.url, |page| count += by_hand::visit(page)).await;
            }
        }
        count
    }
}

pub(crate) fn huawei_client(url: &str) -> huawei::Client {
    huawei::Client::builder().access_key("AK").secret_key("SK").base_url(url).build().expect("a client")
}

pub(crate) fn sailpoint_client(url: &str) -> sailpoint::Client {
    sailpoint::Client::builder().base_url(url).token("token").rate_limit(None).build().expect("a client")
}

/// Visits and counts all items.
async fn count<T: Send>(mut items: impl Stream<Item = headcount::Result<T>> + Send + Unpin) -> u64 {
    let mut count = 0;
    while let Some(item) = items.try_next().await.expect("a complete list") {
        black_box(&item);
        count += 1;
    }
    count
}
