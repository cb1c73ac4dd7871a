//! The listed accounts, modelled on the vendors' samples.

use std::fmt::Write as _;

use bytes::Bytes;

/// The placeholder of an account's number. All rows have the same length, and their ids ascend.
const NUMBER: &str = "NNNNNNNN";

/// The example of Huawei's reference, with every member that is returned without contact information.
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

/// The maximum page sizes of Huawei and SailPoint.
pub(crate) const HUAWEI_PAGE_SIZE: u64 = 2000;
pub(crate) const SAILPOINT_PAGE_SIZE: u64 = 250;

/// Returns the length of a row in bytes.
pub(crate) fn row_length(is_huawei: bool) -> u64 {
    let row = if is_huawei { HUAWEI } else { SAILPOINT };
    row.len() as u64
}

/// Renders rows, separated by commas.
fn render(template: &str, numbers: std::ops::Range<u64>) -> String {
    let mut rows = String::new();
    for number in numbers {
        if !rows.is_empty() {
            rows.push(',');
        }
        for (index, text) in template.split(NUMBER).enumerate() {
            if index > 0 {
                let _ = write!(rows, "{number:08}");
            }
            rows.push_str(text);
        }
    }
    rows
}

/// All rows of a SailPoint tenant. Pages are slices of them.
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

    /// Returns the rows at `offset`, without brackets.
    pub(crate) fn slice(&self, offset: u64, limit: u64) -> Bytes {
        let stride = SAILPOINT.len() + 1;
        let position = |row: u64| usize::try_from(row.min(self.count)).unwrap_or(usize::MAX) * stride;
        let (start, end) = (position(offset), position(offset.saturating_add(limit)));
        if start == end { Bytes::new() } else { self.rows.slice(start..end - 1) }
    }
}

/// A template of Huawei's pages, in which the numbers are replaced.
pub(crate) struct HuaweiPage {
    body: Vec<u8>,
    /// The offsets of the first row's numbers.
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

    /// Renders the page that starts with account `first` of `accounts`.
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

/// The accounts of a Huawei organization. Their number is a multiple of the page size.
pub(crate) struct HuaweiPages {
    accounts: u64,
    prepared: Vec<Bytes>,
    template: HuaweiPage,
}

impl HuaweiPages {
    /// Renders every page in advance if `is_prepared`, or else each page on request.
    pub(crate) fn new(accounts: u64, is_prepared: bool) -> Self {
        let template = HuaweiPage::new(HUAWEI_PAGE_SIZE);
        let first = (0..accounts).step_by(usize::try_from(HUAWEI_PAGE_SIZE).unwrap_or(usize::MAX));
        let prepared =
            if is_prepared { first.map(|first| template.at(first, accounts)).collect() } else { vec![] };
        Self { accounts, prepared, template }
    }

    /// Returns the page that starts with account `first`, which is also its marker.
    pub(crate) fn get(&self, first: u64) -> Bytes {
        match usize::try_from(first / HUAWEI_PAGE_SIZE).ok().and_then(|page| self.prepared.get(page)) {
            Some(body) => body.clone(),
            None => self.template.at(first, self.accounts),
        }
    }
}
