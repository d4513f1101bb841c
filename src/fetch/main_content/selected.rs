//! Elements that the selectors of a site rule match.

use crate::fetch::budget::{BudgetMeter, ConvertError};
use crate::fetch::content_rules::{ContentRules, Selector};
use dom_query::{NodeId, NodeRef};
use std::collections::HashSet;

/// Elements that the selectors of a site rule match (`included` without those inside another; `excluded` with those of
/// `included` that are inside one), and the selectors that match nothing.
#[derive(Default)]
pub(super) struct SiteRuleMatches<'a> {
    pub included: Vec<NodeRef<'a>>,
    pub excluded: HashSet<NodeId>,
    pub unmatched: Vec<String>,
}

/// Finds the elements that the site rule selects.
pub(super) fn select<'a>(
    body: NodeRef<'a>,
    rules: &ContentRules,
    clock: &mut BudgetMeter,
) -> Result<SiteRuleMatches<'a>, ConvertError> {
    let mut selected = SiteRuleMatches::default();
    if rules.include.is_empty() && rules.exclude.is_empty() {
        return Ok(selected);
    }
    let (mut include, mut exclude) = (vec![false; rules.include.len()], vec![false; rules.exclude.len()]);
    let mut stack = vec![(body, false, false)];
    while let Some((node, mut within, mut is_excluded)) = stack.pop() {
        clock.check()?;
        if node.is_element() {
            let fits = |selectors: &[Selector], hits: &mut [bool]| {
                let mut any = false;
                for (selector, hit) in selectors.iter().zip(hits) {
                    let fits = selector.matcher.match_element(&node);
                    *hit |= fits;
                    any |= fits;
                }
                any
            };
            let is_root = fits(&rules.include, &mut include) && !within;
            if fits(&rules.exclude, &mut exclude) || (is_root && is_excluded) {
                selected.excluded.insert(node.id);
                is_excluded = true;
            }
            if is_root {
                selected.included.push(node);
                within = true;
            }
        }
        let mut child = node.last_child();
        while let Some(next) = child {
            stack.push((next, within, is_excluded));
            child = next.prev_sibling();
        }
    }
    let hits = rules.include.iter().zip(include).chain(rules.exclude.iter().zip(exclude));
    selected.unmatched = hits.filter(|(_, hit)| !hit).map(|(selector, _)| selector.source.clone()).collect();
    Ok(selected)
}
