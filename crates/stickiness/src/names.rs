//! The names of the stickiness cookies, each spelled once.

/// The duration-based cookie of an Application Load Balancer.
pub const AWSALB: &str = "AWSALB";

/// Its twin for cross-site requests: the same value, with `SameSite=None`.
pub const AWSALBCORS: &str = "AWSALBCORS";

/// The prefix that AWS reserves: "can't have the following prefixes: AWSALB, AWSALBAPP, or AWSALBTG".
pub const RESERVED_PREFIX: &str = "AWSALB";

/// The value that withdraws a cookie at AWS. Clients store and send it back, and it then means "no cookie".
pub const REMOVED: &str = "_remove_";
