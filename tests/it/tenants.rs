//! Checkpoints are bound to the tenant whose list they are of.

use headcount::{Account, AnyPaginator, Paginator, Result, annature, fortanix, huawei, sailpoint};

#[test]
fn a_checkpoint_of_another_tenant_is_refused() {
    let refused = |saved: &headcount::Checkpoint, other: AnyPaginator<Account>| {
        let error = other.resume(saved).unwrap_err();
        assert_eq!(error.kind(), headcount::ErrorKind::Checkpoint);
        assert!(error.message().contains("another listing"), "{error}");
    };
    let fortanix = |email: &str| {
        let builder = fortanix::Client::builder();
        builder.password(email, "p").build().unwrap().list_accounts().into_accounts()
    };
    refused(&fortanix("a@x.example").items().checkpoint(), fortanix("b@x.example"));
    let huawei = |key: &str, domain: Option<&str>| {
        let mut builder = huawei::Client::builder(key, "sk");
        if let Some(domain) = domain {
            builder = builder.domain_id(domain);
        }
        builder.build().unwrap().list_accounts().into_accounts()
    };
    refused(&huawei("AK1", None).items().checkpoint(), huawei("AK2", None));
    refused(&huawei("AK1", Some("d1")).items().checkpoint(), huawei("AK1", Some("d2")));
    let same = huawei("AK1", Some("d1")).items().checkpoint();
    assert!(huawei("AK2", Some("d1")).resume(&same).is_ok(), "the domain tells, whatever the key");
    let annature = |id: &str, partner: &str| {
        let builder = annature::Client::builder(id, "k").partner_key(partner);
        builder.build().unwrap().list_accounts().into_accounts()
    };
    refused(&annature("i", "partner-1").items().checkpoint(), annature("i", "partner-2"));
    refused(&annature("i", "partner-1").items().checkpoint(), annature("j", "partner-1"));
    let sailpoint = |tenant: &str| {
        let builder = sailpoint::Client::builder(format!("https://{tenant}.api.identitynow.com"));
        builder.token("t").build().unwrap().list_accounts().into_accounts()
    };
    refused(&sailpoint("one").items().checkpoint(), sailpoint("two"));
    refused(&sailpoint("one").items().checkpoint(), another_list());
    let sailpoint = |id: &str, secret: &str| {
        let builder = sailpoint::Client::builder("https://one.api.identitynow.com");
        builder.client_credentials(id, secret).build().unwrap().list_accounts().into_accounts()
    };
    // Another may see other accounts.
    refused(&sailpoint("org-admin", "s").items().checkpoint(), sailpoint("source-admin", "s"));
    let same = sailpoint("org-admin", "s").items().checkpoint();
    assert!(sailpoint("org-admin", "renewed").resume(&same).is_ok(), "the id tells, whatever the secret");
}

/// Another list at the same provider.
fn another_list() -> AnyPaginator<Account> {
    struct Other;
    impl Paginator for Other {
        type Item = Account;
        type Cursor = u8;
        fn scope(&self) -> headcount::Scope {
            headcount::Scope::new("sailpoint", [("path", "another listing")])
        }
        async fn fetch(&self, _: Option<&u8>) -> Result<headcount::Page<Account, u8>> {
            Ok(headcount::Page::new(Vec::new(), None))
        }
    }
    AnyPaginator::new(Other)
}
