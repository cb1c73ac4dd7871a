//! The accounts that are listed, as the vendors' samples show them.

use std::fmt::Write as _;

use bytes::Bytes;

/// Stands for an account's number in a row: so rows are all of one length, and their ids ascend.
const NUMBER: &str = "NNNNNNNN";

/// The example of Huawei's reference, with every member that is there without contact information.
const HUAWEI: &str = concat!(
    r#"{"id":"05261f923e80d3890f33c005NNNNNNNN","urn":"organizations::0a6d25d23900d45c0faac010e0fb4de0:"#,
    r#"account:o-fhkmi6mek7wlqdp6nideqhb47qwtjdsv/05261f923e80d3890f33c005NNNNNNNN","join_method":"invited","#,
    r#""status":"active","joined_at":"2022-08-24T06:41:15Z","name":"paas_iam_NNNNNNNN"}"#,
);

/// The example of SailPoint's reference, with 8 attributes.
const SAILPOINT: &str = concat!(
    r#"{"id":"2c9180835d2e5168015d32f8NNNNNNNN","name":"John.Doe.NNNNNNNN","created":"2015-05-28T14:07:17Z","#,
    r#""modified":"2015-05-28T14:07:18Z","sourceId":"2c9180835d2e5168015d32f890ca1581","#,
    r#""sourceName":"Employees","identityId":"2c9180835d2e5168015d32f8NNNNNNNN","#,
    r#""identity":{"type":"IDENTITY","id":"2c9180835d2e5168015d32f8NNNNNNNN","name":"John Doe"},"#,
    r#""sourceOwner":{"type":"IDENTITY","id":"2c9180835d2e5168015d32f890ca1580","name":"Ann Lee"},"#,
    r#""ownerIdentity":null,"cloudLifecycleState":"active","identityState":"ACTIVE","connectionType":"direct","#,
    r#""isMachine":false,"recommendation":null,"attributes":{"firstName":"John","lastName":"Doe","#,
    r#""title":"Clerk","mail":"NNNNNNNN@example.com","department":"Sales","employeeNumber":"NNNNNNNN","#,
    r#""groups":["sales"],"passwordLastSet":1614901945829},"authoritative":false,"description":null,"#,
    r#""disabled":false,"locked":false,"nativeIdentity":"CN=NNNNNNNN,DC=local","systemAccount":false,"#,
    r#""uncorrelated":false,"uuid":"{b0dce506-d6d4-44d2-8a32-d9a5NNNNNNNN}","manuallyCorrelated":false,"#,
    r#""hasEntitlements":true,"features":"ENABLE","origin":"AGGREGATED"}"#,
);

/// Rows on a page of Huawei, and of SailPoint: the most that they give.
pub(crate) const HUAWEI_PAGE: u64 = 2000;
pub(crate) const SAILPOINT_PAGE: u64 = 250;

/// How many bytes a row has.
pub(crate) fn row_length(is_huawei: bool) -> u64 {
    let row = if is_huawei { HUAWEI } else { SAILPOINT };
    row.len() as u64
}

/// Rows with commas between them.
fn render(template: &str, numbers: std::ops::Range<u64>) -> String {
    let mut rows = String::new();
    for number in numbers {
        if !rows.is_empty() {
            rows.push(',');
        }
        for (place, text) in template.split(NUMBER).enumerate() {
            if place > 0 {
                let _ = write!(rows, "{number:08}");
            }
            rows.push_str(text);
        }
    }
    rows
}

/// All rows of a SailPoint tenant: what lies at an offset is cut out of them.
pub(crate) struct SailPointRows {
    rows: Bytes,
    count: u64,
}

impl SailPointRows {
    pub(crate) fn new(count: u64) -> Self {
        Self { rows: render(SAILPOINT, 0..count).into(), count }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The rows from `offset` on, without the brackets around them.
    pub(crate) fn slice(&self, offset: u64, limit: u64) -> Bytes {
        let stride = SAILPOINT.len() + 1;
        let place = |row: u64| usize::try_from(row.min(self.count)).unwrap_or(usize::MAX) * stride;
        let (from, to) = (place(offset), place(offset.saturating_add(limit)));
        if from == to { Bytes::new() } else { self.rows.slice(from..to - 1) }
    }
}

/// One page of Huawei, whose numbers are written anew for every other.
pub(crate) struct HuaweiPage {
    body: Vec<u8>,
    /// Where the first row's numbers stand.
    numbers: Vec<usize>,
    rows: u64,
}

impl HuaweiPage {
    fn new(rows: u64) -> Self {
        let open = r#"{"accounts":["#;
        let numbers = HUAWEI.match_indices(NUMBER).map(|(at, _)| open.len() + at).collect();
        let body = format!("{open}{}", render(HUAWEI, 0..rows)).into_bytes();
        Self { body, numbers, rows }
    }

    /// The page that begins with account `first` of `accounts`.
    fn at(&self, first: u64, accounts: u64) -> Bytes {
        let mut body = Vec::with_capacity(self.body.len() + 100);
        body.extend_from_slice(&self.body);
        for row in 0..self.rows {
            let digits = format!("{:08}", first + row);
            let start = usize::try_from(row).unwrap_or(usize::MAX) * (HUAWEI.len() + 1);
            for number in &self.numbers {
                body[start + number..][..NUMBER.len()].copy_from_slice(digits.as_bytes());
            }
        }
        let next = first + self.rows;
        let marker = if next < accounts { format!(r#""{next:08}""#) } else { "null".to_owned() };
        let info = format!(r#"],"page_info":{{"next_marker":{marker},"current_count":{}}}}}"#, self.rows);
        body.extend_from_slice(info.as_bytes());
        body.into()
    }
}

/// The accounts of a Huawei organization. Their number is a multiple of a page's.
pub(crate) struct HuaweiPages {
    accounts: u64,
    prepared: Vec<Bytes>,
    page: HuaweiPage,
}

impl HuaweiPages {
    /// With every page prepared, or with each made of another one when it is asked for.
    pub(crate) fn new(accounts: u64, is_prepared: bool) -> Self {
        let page = HuaweiPage::new(HUAWEI_PAGE);
        let first = (0..accounts).step_by(usize::try_from(HUAWEI_PAGE).unwrap_or(usize::MAX));
        let prepared =
            if is_prepared { first.map(|first| page.at(first, accounts)).collect() } else { vec![] };
        Self { accounts, prepared, page }
    }

    /// The page of a marker.
    pub(crate) fn get(&self, first: u64) -> Bytes {
        match usize::try_from(first / HUAWEI_PAGE).ok().and_then(|page| self.prepared.get(page)) {
            Some(body) => body.clone(),
            None => self.page.at(first, self.accounts),
        }
    }
}
