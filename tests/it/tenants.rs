//! Checkpoints are bound to the tenant whose list they are of.

use headcount::{Account, AnyPaginator, ErrorKind, ListingId, Page, Paginator, Result};

use crate::kit::PROVIDERS;

fn assert_refused(from: AnyPaginator<Account>, to: AnyPaginator<Account>) {
    let error = to.resume(&from.items().checkpoint()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Checkpoint);
    assert!(error.message().contains("another listing"), "{error}");
}

#[test]
fn a_checkpoint_of_another_tenant_is_refused() {
    for &provider in PROVIDERS {
        let tenants = provider.tenants();
        assert!(!tenants.others.is_empty(), "{provider}");
        for [one, other] in tenants.others {
            assert_refused(one, other);
        }
        for [one, same] in tenants.alike {
            assert!(
                same.resume(&one.items().checkpoint()).is_ok(),
                "{provider}: the id tells, whatever the secret"
            );
        }
        for [one, _] in provider.tenants().others {
            assert_refused(one, another_list(provider.name()));
        }
    }
}

/// Another list at the same provider.
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
