//! Names of people and companies, in several scripts.

use fastrand::Rng;

use crate::rng::{chance, pick};

/// People: the full name, and an ASCII login for email addresses.
const PEOPLE: &[(&str, &str)] = &[
    ("Ada Lindqvist", "ada.lindqvist"),
    ("Zoë Ångström", "zoe.angstrom"),
    ("王小明", "wang.xiaoming"),
    ("佐藤 花子", "sato.hanako"),
    ("Søren Kjær", "soren.kjaer"),
    ("Мария Иванова", "maria.ivanova"),
    ("محمد الأحمد", "mohammed.alahmad"),
    ("O'Neill, Siobhán", "siobhan.oneill"),
    ("Nguyễn Thị Hạnh", "hanh.nguyen"),
    ("김민준", "minjun.kim"),
    ("José \"Pepe\" Núñez", "jose.nunez"),
    ("Łukasz Żółć", "lukasz.zolc"),
    ("Ted Smith", "ted.smith"),
    ("Priya Raghunathan", "priya.r"),
    ("אביגיל כהן", "avigail.cohen"),
    ("Renée  Dubois", "renee.dubois"),
    ("X Æ A-12", "x.ae.a12"),
    ("Team 🚀 Rocket", "team.rocket"),
    ("Van der Berg-Ólafsdóttir, Þórunn", "thorunn.vdberg"),
    ("Anil \\ Backslash", "anil.backslash"),
];

const COMPANIES: &[&str] = &[
    "Acme",
    "Bäckerei Müller GmbH & Co. KG",
    "華為測試",
    "Ünïcode Labs",
    "Südwind Energie",
    "株式会社サンプル",
    "Initech \"R&D\"",
    "Globex/EMEA",
    "Банк Пример",
    "Umbrella, Inc.",
    "100% Fjord",
    "Ça & Là",
];

const TEAMS: &[&str] =
    &["Production", "staging", "沙箱", "Données", "ML-Research", "Audit", "EU West", "тест"];

/// Returns the full name and the ASCII login of a random person.
pub(crate) fn person(rng: &mut Rng) -> (&'static str, &'static str) {
    pick(rng, PEOPLE)
}

/// Returns the full name and the ASCII login of the employee with a number.
///
/// An account with the same number at another provider belongs to the same employee.
pub(crate) fn employee(number: u32) -> (&'static str, &'static str) {
    let index = usize::try_from(number).unwrap_or_default() % PEOPLE.len();
    PEOPLE.get(index).copied().unwrap_or_default()
}

/// Returns the email address of the employee with a number, which is unique.
pub(crate) fn employee_email(number: u32) -> String {
    format!("{}.{number}@example.com", employee(number).1)
}

/// Returns the name of a random company.
pub(crate) fn company(rng: &mut Rng) -> &'static str {
    pick(rng, COMPANIES)
}

/// Returns a random name of a team or an environment, sometimes with an emoji.
pub(crate) fn team(rng: &mut Rng) -> String {
    let team = pick(rng, TEAMS);
    if chance(rng, 12) { format!("{team} 🔐") } else { team.to_owned() }
}
