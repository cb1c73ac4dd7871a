use super::NAME;
use crate::{Error, Result};

/// How many registers there are.
const COUNT: usize = 23;

/// In which order the platform configuration registers of Azure's confidential machines count: the integers
/// from 0 to 22, each once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PcrPriority(Vec<i64>);

impl PcrPriority {
    /// This order, such as [`Account::azure_cvm_pcr_priority`](super::Account::azure_cvm_pcr_priority) has it.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if it does not hold each of 0 to 22 once.
    pub fn new(order: &[i64]) -> Result<Self> {
        let refuse = |what: String| {
            let message = format!("{what} in the PCR priority; expected each of 0 to 22 once");
            Err(Error::config(message).with_provider(NAME))
        };
        let mut seen = [false; COUNT];
        for register in order {
            let place = usize::try_from(*register).ok().and_then(|at| seen.get_mut(at));
            match place {
                None => return refuse(format!("{register} is")),
                Some(true) => return refuse(format!("{register} is twice")),
                Some(place) => *place = true,
            }
        }
        match seen.iter().position(|seen| !seen) {
            Some(missing) => refuse(format!("{missing} is not")),
            None => Ok(Self(order.to_vec())),
        }
    }

    /// The order.
    pub fn as_slice(&self) -> &[i64] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_0_to_22_is_there_once_or_it_is_refused() {
        let order: Vec<i64> = (0..23).rev().collect();
        assert_eq!(PcrPriority::new(&order).unwrap().as_slice(), order);
        for (at, put, why) in [
            (Some(0), 21, "21 is twice in"),
            (Some(5), 23, "23 is in"),
            (Some(5), -1, "-1 is in"),
            (None, 0, "0 is twice in"),
        ] {
            let mut order = order.clone();
            match at {
                Some(at) => order[at] = put,
                None => order.push(put),
            }
            let error = PcrPriority::new(&order).unwrap_err();
            assert!(error.message().starts_with(why), "{error}");
            assert!(error.message().ends_with("expected each of 0 to 22 once"), "{error}");
        }
        let error = PcrPriority::new(&order[..22]).unwrap_err();
        assert!(error.message().starts_with("0 is not in"), "{error}");
        assert!(PcrPriority::new(&[]).is_err());
    }
}
