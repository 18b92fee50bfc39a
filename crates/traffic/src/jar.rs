//! The cookie jar of a session.

/// The prefix of the names of all cookies of the load balancer.
const OF_THE_LOAD_BALANCER: &str = "AWSALB";

/// The load balancer's cookies of one session. It ignores expiry, because a session ends before its cookies expire.
///
/// A crowd can have a million jars, so a jar consists only of the value of the `Cookie` header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Jar(Box<str>);

impl Jar {
    /// The value of the `Cookie` header. It is empty when there are no cookies.
    pub(crate) fn header(&self) -> &str {
        &self.0
    }

    /// Adds the cookies of these `Set-Cookie` lines.
    pub(crate) fn keep(&mut self, set_cookies: &[String]) {
        let set: Vec<(&str, &str)> = set_cookies.iter().filter_map(|line| pair(line)).collect();
        if set.is_empty() {
            return;
        }
        let kept = self.0.split("; ").filter_map(|pair| pair.split_once('='));
        let kept = kept.filter(|(name, _)| set.iter().all(|(other, _)| other != name));
        let all: Vec<String> = kept.chain(set.iter().copied()).map(|(name, value)| format!("{name}={value}")).collect();
        self.0 = all.join("; ").into();
    }
}

/// The name and the value of a `Set-Cookie` line, if it sets a cookie of the load balancer.
fn pair(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split(';').next()?.split_once('=')?;
    name.trim().starts_with(OF_THE_LOAD_BALANCER).then_some((name.trim(), value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_takes_the_place_of_the_one_with_its_name() {
        let mut jar = Jar::default();
        jar.keep(&["AWSALB=1; Path=/".into(), "AWSALBCORS=1; SameSite=None".into()]);
        jar.keep(&["AWSALB=2=; Path=/".into()]);
        assert_eq!(jar.header(), "AWSALBCORS=1; AWSALB=2=");
    }

    #[test]
    fn the_cookies_of_the_application_are_left_alone() {
        let mut jar = Jar::default();
        jar.keep(&["session=1; Path=/".into()]);
        assert_eq!(jar, Jar::default());
    }
}
