//! What a query asks of a listing, and the part of SQL that becomes such a request.

use std::collections::BTreeSet;

use datafusion::{
    common::ScalarValue,
    logical_expr::{BinaryExpr, Expr, Like, Operator},
};
use headcount::chrono::{DateTime, Datelike, TimeDelta, Utc};

/// More values of one column are not sent to a provider.
const MAX_VALUES: usize = 20;

/// Conditions with more bytes of text in total are not sent. A URL has at most 8 KiB, of which each byte may need three,
/// and a condition on `name` is sent twice.
const MAX_TEXT: usize = 600;

/// The tolerance of dates in a request. Providers differ in their precision, and in whether a bound is included.
const TOLERANCE: TimeDelta = TimeDelta::seconds(1);

/// What a query asks of a listing.
///
/// A listing may ignore all of it: it returns at least the accounts that match. The query evaluates its filters again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListRequest {
    /// The columns that are used; the others may be null. `None` is all of them.
    pub columns: Option<BTreeSet<String>>,
    /// Conditions that all accounts of interest satisfy.
    pub conditions: Vec<Condition>,
}

/// A condition on a column, in the meaning of SQL: null satisfies none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// The text is one of these (`=`, `in`), none of which is blank.
    OneOf {
        /// The column.
        column: String,
        /// One to 20 values.
        values: Vec<String>,
    },
    /// The text begins with this (`like 'x%'`), which is not blank.
    StartsWith {
        /// The column.
        column: String,
        /// The prefix.
        prefix: String,
    },
    /// The time is at or after this.
    NotBefore {
        /// The column.
        column: String,
        /// One second before the bound in the query.
        at: DateTime<Utc>,
    },
    /// The time is at or before this.
    NotAfter {
        /// The column.
        column: String,
        /// One second after the bound in the query.
        at: DateTime<Utc>,
    },
}

impl ListRequest {
    /// Creates a request for `columns`, with as many of the conditions as fit into a URL.
    pub(crate) fn new(columns: BTreeSet<String>, conditions: impl IntoIterator<Item = Condition>) -> Self {
        let mut text = 0;
        let mut fits = |condition: &Condition| {
            let needed = text + condition.text_len();
            let fits = needed <= MAX_TEXT;
            text = if fits { needed } else { text };
            fits
        };
        let conditions = conditions.into_iter().filter(|condition| fits(condition)).collect();
        Self { columns: Some(columns), conditions }
    }

    /// Returns `true` if the column is used.
    pub fn uses(&self, column: &str) -> bool {
        self.columns.as_ref().is_none_or(|columns| columns.contains(column))
    }
}

impl Condition {
    /// Returns the bytes that it adds to a URL, before they are encoded.
    fn text_len(&self) -> usize {
        /// For a name, an operator and quotes.
        const OVERHEAD: usize = 25;
        match self {
            Self::OneOf { values, .. } => values.iter().map(|value| value.len() + OVERHEAD).sum(),
            Self::StartsWith { prefix, .. } => prefix.len() + OVERHEAD,
            Self::NotBefore { .. } | Self::NotAfter { .. } => 2 * OVERHEAD,
        }
    }
}

/// Returns the conditions that `filter` implies. There are none if a listing cannot use it.
pub(crate) fn conditions(filter: &Expr) -> Vec<Condition> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            let mut both = conditions(left);
            both.extend(conditions(right));
            both
        }
        // DataFusion writes a short `in` in this form.
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            match (conditions(left).as_slice(), conditions(right).as_slice()) {
                (
                    [Condition::OneOf { column, values }],
                    [Condition::OneOf { column: same, values: more }],
                ) if column == same => {
                    one_of(column, values.iter().chain(more).cloned().collect()).into_iter().collect()
                }
                _ => Vec::new(),
            }
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (column(left), column(right)) {
            (Some(name), None) => compare(name, *op, right),
            (None, Some(name)) => op.swap().map(|op| compare(name, op, left)).unwrap_or_default(),
            _ => Vec::new(),
        },
        Expr::Between(between) if !between.negated => {
            let Some(name) = column(&between.expr) else { return Vec::new() };
            let mut both = compare(name, Operator::GtEq, &between.low);
            both.extend(compare(name, Operator::LtEq, &between.high));
            both
        }
        Expr::InList(list) if !list.negated => {
            let values: Option<Vec<_>> = list.list.iter().map(text).collect();
            column(&list.expr)
                .zip(values)
                .and_then(|(name, values)| one_of(name, values))
                .into_iter()
                .collect()
        }
        Expr::Like(like) if !like.negated && !like.case_insensitive && like.escape_char.is_none() => {
            starts_with(like).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn compare(column: &str, op: Operator, value: &Expr) -> Vec<Condition> {
    let column = column.to_owned();
    if let Some(text) = text(value) {
        let condition = if op == Operator::Eq { one_of(&column, vec![text]) } else { None };
        return condition.into_iter().collect();
    }
    let Some(at) = time(value) else { return Vec::new() };
    // Providers have no other years.
    let is_date = |at: &DateTime<Utc>| (1..=9999).contains(&at.year());
    let not_before = at.checked_sub_signed(TOLERANCE).filter(is_date);
    let not_before = not_before.map(|at| Condition::NotBefore { column: column.clone(), at });
    let not_after = at.checked_add_signed(TOLERANCE).filter(is_date);
    let not_after = not_after.map(|at| Condition::NotAfter { column, at });
    match op {
        Operator::Eq => not_before.into_iter().chain(not_after).collect(),
        Operator::Gt | Operator::GtEq => not_before.into_iter().collect(),
        Operator::Lt | Operator::LtEq => not_after.into_iter().collect(),
        _ => Vec::new(),
    }
}

fn one_of(column: &str, values: Vec<String>) -> Option<Condition> {
    let usable =
        (1..=MAX_VALUES).contains(&values.len()) && values.iter().all(|value| !value.trim().is_empty());
    usable.then(|| Condition::OneOf { column: column.to_owned(), values })
}

/// `like 'x%'` without another wildcard.
fn starts_with(like: &Like) -> Option<Condition> {
    let (column, pattern) = (column(&like.expr)?, text(&like.pattern)?);
    let prefix = pattern.strip_suffix('%')?;
    let plain = !prefix.contains(['%', '_', '\\']) && !prefix.trim().is_empty();
    plain.then(|| Condition::StartsWith { column: column.to_owned(), prefix: prefix.to_owned() })
}

fn column(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Column(column) => Some(column.name()),
        _ => None,
    }
}

fn literal(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value),
        _ => None,
    }
}

fn text(expr: &Expr) -> Option<String> {
    literal(expr)?.try_as_str()?.map(str::to_owned)
}

fn time(expr: &Expr) -> Option<DateTime<Utc>> {
    match literal(expr)? {
        ScalarValue::TimestampSecond(Some(time), _) => DateTime::from_timestamp(*time, 0),
        ScalarValue::TimestampMillisecond(Some(time), _) => DateTime::from_timestamp_millis(*time),
        ScalarValue::TimestampMicrosecond(Some(time), _) => DateTime::from_timestamp_micros(*time),
        ScalarValue::TimestampNanosecond(Some(time), _) => Some(DateTime::from_timestamp_nanos(*time)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{col, lit};

    use super::*;

    fn values(column: &str, values: &[&str]) -> Condition {
        Condition::OneOf { column: column.into(), values: values.iter().map(|&value| value.into()).collect() }
    }

    #[test]
    fn only_what_gives_a_superset_becomes_a_condition() {
        assert_eq!(conditions(&col("id").eq(lit("a"))), [values("id", &["a"])]);
        assert_eq!(conditions(&lit("a").eq(col("id"))), [values("id", &["a"])]);
        let both = col("id").eq(lit("a")).and(col("name").eq(lit("b")));
        assert_eq!(conditions(&both), [values("id", &["a"]), values("name", &["b"])]);
        assert_eq!(
            conditions(&col("id").in_list(vec![lit("a"), lit("b")], false)),
            [values("id", &["a", "b"])]
        );
        let either = col("id").eq(lit("a")).or(col("id").eq(lit("b")).and(col("id").not_eq(lit("c"))));
        assert_eq!(conditions(&either), [values("id", &["a", "b"])]);
        let prefix = Condition::StartsWith { column: "name".into(), prefix: "svc-".into() };
        assert_eq!(conditions(&col("name").like(lit("svc-%"))), [prefix]);
        let many: Vec<_> = (0..21).map(|n| lit(n.to_string())).collect();
        for other in [
            col("id").not_eq(lit("a")),
            col("id").gt(lit("a")),
            col("id").in_list(vec![lit("a")], true),
            col("id").in_list(vec![lit("a"), lit(ScalarValue::Utf8(None))], false),
            col("id").in_list(many, false),
            col("id").eq(lit(" ")),
            col("id").is_null(),
            col("id").eq(col("name")),
            col("id").eq(lit("a")).or(col("name").eq(lit("b"))),
            col("id").eq(lit("a")).or(col("id").is_null()),
            col("name").like(lit("%svc")),
            col("name").like(lit("s_c%")),
            col("name").like(lit(r"s\%%")),
            col("name").like(lit("%")),
            col("name").ilike(lit("svc%")),
            col("name").not_like(lit("svc%")),
        ] {
            assert_eq!(conditions(&other), [], "{other}");
        }
    }

    #[test]
    fn a_request_fits_into_a_url() {
        let long = |n: usize| values("name", &[&"x".repeat(n)]);
        let request = ListRequest::new(BTreeSet::new(), [long(400), long(400), long(100)]);
        assert_eq!(request.conditions, [long(400), long(100)]);
        let escaped = 2 * 3 * MAX_TEXT;
        assert!(escaped < 8 * 1024 / 2);
    }

    #[test]
    fn bounds_of_times_are_widened_by_a_second() {
        let at = lit(ScalarValue::TimestampMicrosecond(Some(60_000_000), Some("UTC".into())));
        let second = |second| DateTime::from_timestamp(second, 0).unwrap();
        let not_before = Condition::NotBefore { column: "created_at".into(), at: second(59) };
        let not_after = Condition::NotAfter { column: "created_at".into(), at: second(61) };
        let created = || col("created_at");
        assert_eq!(conditions(&created().gt(at.clone())), vec![not_before.clone()]);
        assert_eq!(conditions(&at.clone().lt_eq(created())), vec![not_before.clone()]);
        assert_eq!(conditions(&created().lt(at.clone())), vec![not_after.clone()]);
        let both = [not_before, not_after];
        assert_eq!(conditions(&created().eq(at.clone())), both);
        assert_eq!(conditions(&created().between(at.clone(), at.clone())), both);
        let far = lit(ScalarValue::TimestampSecond(Some(i64::MAX), None));
        assert_eq!(conditions(&created().lt(far)), []);
        let min =
            lit(ScalarValue::TimestampMicrosecond(Some(DateTime::<Utc>::MIN_UTC.timestamp_micros()), None));
        assert_eq!(conditions(&created().gt(min)), []);
    }
}
