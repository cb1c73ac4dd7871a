//! A checkpoint is bound to the tenant and the listing that it was taken from.

use headcount::{Account, AnyPaginator, ErrorKind, ListingId, Page, Paginator, Result};

use crate::kit::PROVIDERS;

fn assert_rejected(from: AnyPaginator<Account>, to: AnyPaginator<Account>) {
    let error = to.resume(&from.items().checkpoint()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Checkpoint);
    assert!(error.message().contains("another listing"), "{error}");
}

#[test]
fn other_tenant_is_rejected() {
    for &provider in PROVIDERS {
        let pairs = provider.listing_pairs();
        assert!(!pairs.different.is_empty(), "{provider}");
        for [one, other] in pairs.different {
            assert_rejected(one, other);
        }
        for [one, same] in pairs.same {
            assert!(
                same.resume(&one.items().checkpoint()).is_ok(),
                "{provider}: the secret is not part of the identity"
            );
        }
        for [one, _] in provider.listing_pairs().different {
            assert_rejected(one, another_list(provider.name()));
        }
    }
}

/// Returns a different listing of the same provider.
fn another_list(provider: &'static str) -> AnyPaginator<Account> {
    struct Other(&'static str);
    impl Paginator for Other {
        type Item = Account;
        type Cursor = u8;
        fn listing_id(&self) -> ListingId {
            ListingId::new(self.0, [("path", "another listing")])
        }
        async fn fetch(&self, _: Option<&u8>) -> Result<Page<Account, u8>> {
            Ok(Page::new(Vec::new(), None))
        }
    }
    AnyPaginator::new(Other(provider))
}
