//! The ways to list all accounts of a server.

use std::{any::Any, hint::black_box};

use futures::{Stream, TryStreamExt};
use headcount::{Paginator, huawei, sailpoint};

use super::{
    by_hand,
    rows::{HUAWEI_PAGE, SAILPOINT_PAGE},
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

    pub(crate) fn page(self) -> u64 {
        match self {
            Self::Huawei => HUAWEI_PAGE,
            Self::SailPoint => SAILPOINT_PAGE,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Lists nothing: what the client itself takes.
    Nothing,
    Bytes,
    ByHand,
    Items,
    IntoAccounts,
    Ahead,
    Concurrent(usize),
}

impl Way {
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

    /// By what [`name`](Self::name) gives, for a process of its own.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let ways = [Self::Nothing, Self::Bytes, Self::ByHand, Self::Items, Self::IntoAccounts, Self::Ahead];
        ways.into_iter().find(|way| way.name() == name)
    }
}

enum Client {
    Reqwest(reqwest::Client),
    Huawei(huawei::Client),
    SailPoint(sailpoint::Client),
}

/// Lists all accounts of a server in one way, with a client of its own.
pub(crate) struct Lister {
    provider: Provider,
    way: Way,
    url: String,
    client: Client,
}

impl Lister {
    pub(crate) fn new(provider: Provider, way: Way, url: &str) -> Self {
        let client = match (way, provider) {
            (Way::Bytes | Way::ByHand, _) => {
                Client::Reqwest(reqwest::Client::builder().no_proxy().build().expect("a client"))
            }
            (_, Provider::Huawei) => Client::Huawei(huawei_client(url)),
            (_, Provider::SailPoint) => Client::SailPoint(sailpoint_client(url)),
        };
        Self { provider, way, url: url.to_owned(), client }
    }

    /// Lists all accounts, and looks at each. How many there are; of bytes alone, how many fit on their pages.
    pub(crate) async fn list(&self) -> u64 {
        match &self.client {
            _ if self.way == Way::Nothing => 0,
            Client::Reqwest(http) => self.list_by_hand(http).await,
            Client::Huawei(client) => {
                let list = client.list_accounts().limit(2000);
                match self.way {
                    Way::IntoAccounts => count(list.into_accounts().items()).await,
                    Way::Ahead => count(list.pages().ahead(1).items()).await,
                    _ => count(list.items()).await,
                }
            }
            Client::SailPoint(client) => {
                let list = client.list_accounts();
                match self.way {
                    Way::IntoAccounts => count(list.into_accounts().items()).await,
                    Way::Ahead => count(list.pages().ahead(1).items()).await,
                    Way::Concurrent(width) => count(list.pages().concurrent(width).items()).await,
                    _ => count(list.items()).await,
                }
            }
        }
    }

    /// Lists all accounts, and keeps the pages until what it gives is dropped.
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
                Box::new(pages.try_collect::<Vec<_>>().await.expect("a whole list"))
            }
            (Client::SailPoint(client), _) => {
                let pages = client.list_accounts().pages();
                Box::new(pages.try_collect::<Vec<_>>().await.expect("a whole list"))
            }
        }
    }

    async fn list_by_hand(&self, http: &reqwest::Client) -> u64 {
        let mut count = 0;
        match (self.way, self.provider) {
            (Way::Bytes, Provider::Huawei) => {
                count = by_hand::huawei_bytes(http, &self.url).await * HUAWEI_PAGE;
            }
            (Way::Bytes, Provider::SailPoint) => {
                count = by_hand::sailpoint_bytes(http, &self.url).await * SAILPOINT_PAGE;
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
    huawei::Client::builder("AK", "SK").base_url(url).build().expect("a client")
}

pub(crate) fn sailpoint_client(url: &str) -> sailpoint::Client {
    sailpoint::Client::builder(url).token("token").rate_limit(None).build().expect("a client")
}

/// Looks at each item, and counts them.
async fn count<T: Send>(mut items: impl Stream<Item = headcount::Result<T>> + Send + Unpin) -> u64 {
    let mut count = 0;
    while let Some(item) = items.try_next().await.expect("a whole list") {
        black_box(&item);
        count += 1;
    }
    count
}
