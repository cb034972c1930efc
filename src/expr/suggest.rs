//! The name that somebody may have meant.

/// Comparing takes time as the product of two lengths; nobody mistypes one letter of so many.
const LONGEST: usize = 100;

/// The candidate with the fewest edits from `name`, if there are at most a third of its length and
/// something is left of it: no letter is like another, but in another case.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let len = name.chars().take(LONGEST + 1).count();
    if len > LONGEST {
        return None;
    }
    let limit = len.div_ceil(3);
    candidates
        .into_iter()
        .filter(|candidate| candidate.chars().take(len + limit + 1).count() <= len + limit)
        .map(|candidate| (strsim::levenshtein(name, candidate), candidate))
        .filter(|&(edits, candidate)| {
            let is_alike = edits < candidate.chars().count().max(len)
                || candidate.to_lowercase() == name.to_lowercase();
            edits > 0 && edits <= limit && is_alike
        })
        .min_by_key(|&(edits, _)| edits)
        .map(|(_, candidate)| candidate.to_owned())
}
