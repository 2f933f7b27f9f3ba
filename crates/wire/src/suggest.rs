//! "Did you mean …?"

/// The candidate that `given` is most likely a slip of, if any is near enough to be worth saying.
#[must_use]
pub fn closest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A slip changes about one character in three at most; more alike than that is chance.
    let near = given.chars().count().div_ceil(3);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(given, candidate), candidate))
        .filter(|&(distance, _)| distance <= near)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The sentence for a message, with a space before it; empty where nothing is near.
pub(crate) fn hint<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    closest(given, candidates).map(|found| format!(" Did you mean \"{found}\"?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_slips_only() {
        let known = ["symbols", "channels", "snapshot"];
        assert_eq!(closest("symbol", known), Some("symbols"));
        assert_eq!(closest("chanels", known), Some("channels"));
        assert_eq!(closest("snpashot", known), Some("snapshot"));
        assert_eq!(closest("volume", known), None);
        assert_eq!(closest("", known), None);
    }
}
