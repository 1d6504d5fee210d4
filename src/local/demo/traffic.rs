//! Generates realistic requests. Pure: the same seed gives the same requests.
//!
//! Seven of ten requests belong to visits: a person arrives, views pages, clicks, and sometimes orders. The others are
//! opened newsletters, crawlers, and what every public URL receives: scanners, link checkers and broken links.

use fastrand::Rng;
use url::form_urlencoded::Serializer;

use super::visitors::{BOT_IP, BOTS, LINK_CHECKER, MailProgram, NEWSLETTERS, ORIGINS, Origin, PAGES, PEOPLE, Person, SCANNER, SHOP};

/// Maximum number of concurrent visits.
const MAX_VISITS: usize = 5;

/// One request for the load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoRequest {
    pub method: Method,
    /// Path and query, encoded.
    pub target: String,
    pub user_agent: &'static str,
    pub referer: Option<String>,
    /// The address that the load balancer logs (`X-Forwarded-For`).
    pub remote_ip: &'static str,
}

/// HTTP methods of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
}

/// An endless generator of requests.
#[derive(Debug)]
pub struct Traffic {
    random: Rng,
    path: String,
    visits: Vec<Visit>,
    orders: u32,
}

/// A visit of the shop by one person.
#[derive(Debug)]
struct Visit {
    person: Person,
    origin: Origin,
    page: &'static str,
    steps: u32,
    stage: Stage,
}

/// Progress of a visit. Each stage is a `type` of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Arrival,
    View,
    Click,
    AddToCart,
    Purchase,
    End,
}

impl Traffic {
    /// Generates requests for the pixel at this path.
    pub fn new(path: &str, seed: u64) -> Self {
        Self { random: Rng::with_seed(seed), path: path.to_owned(), visits: Vec::new(), orders: 1000 }
    }

    /// The next request.
    pub fn next_request(&mut self) -> DemoRequest {
        match self.random.u32(..100) {
            0..70 => self.visit(),
            70..84 => self.newsletter_open(),
            84..90 => self.crawler_view(),
            _ => self.invalid_request(),
        }
    }

    /// The time until the next request, in units of the mean. It is distributed exponentially, as independent arrivals are.
    pub fn gap(&mut self) -> f64 {
        -(1.0 - self.random.f64()).ln()
    }

    fn visit(&mut self) -> DemoRequest {
        if self.visits.len() < MAX_VISITS {
            let (person, origin) = (self.pick(&PEOPLE), self.pick(&ORIGINS));
            self.visits.push(Visit { person, origin, page: PAGES[0], steps: 0, stage: Stage::Arrival });
        }
        let which = self.random.usize(..self.visits.len());
        let mut visit = self.visits.swap_remove(which);
        let request = self.step(&visit);
        visit.advance(&mut self.random);
        if visit.stage != Stage::End {
            self.visits.push(visit);
        }
        request
    }

    fn step(&mut self, visit: &Visit) -> DemoRequest {
        let kind = match visit.stage {
            Stage::Arrival | Stage::View => "view",
            Stage::Click => "click",
            Stage::AddToCart => "add_to_cart",
            Stage::Purchase | Stage::End => "purchase",
        };
        let mut parameters = vec![("user_id", visit.person.id.to_owned()), ("type", kind.to_owned())];
        if visit.stage == Stage::Purchase {
            self.orders += 1;
            parameters.push(("order_id", format!("A-{}", self.orders)));
        }
        let mut referer = format!("{SHOP}{}", visit.page);
        if visit.stage == Stage::Arrival {
            // The shop's page copies its own campaign parameters.
            parameters.extend(
                ["utm_source", "utm_medium", "utm_campaign"].into_iter().zip(visit.origin.utm.into_iter().flatten().map(str::to_owned)),
            );
            if !visit.origin.referer.is_empty() {
                parameters.push(("referrer", visit.origin.referer.to_owned()));
            }
            if let Some([source, ..]) = visit.origin.utm {
                referer += &format!("?utm_source={source}");
            }
        }
        self.get(&parameters, visit.person.browser, Some(referer), visit.person.remote_ip)
    }

    /// The pixel of a newsletter. Mail programs and their proxies send no referer.
    fn newsletter_open(&mut self) -> DemoRequest {
        let person = self.pick(&PEOPLE);
        let campaign = self.pick(&NEWSLETTERS);
        let parameters = [("user_id", person.id.to_owned()), ("type", "open".to_owned()), ("utm_campaign", campaign.to_owned())];
        let remote_ip = person.mail.proxy_ip().unwrap_or(person.remote_ip);
        self.get(&parameters, person.mail.user_agent(), None, remote_ip)
    }

    /// A crawler that loads the pixel of a page.
    fn crawler_view(&mut self) -> DemoRequest {
        let (person, bot, page) = (self.pick(&PEOPLE), self.pick(&BOTS), self.pick(&PAGES));
        let parameters = [("user_id", person.id.to_owned()), ("type", "view".to_owned())];
        self.get(&parameters, bot, Some(format!("{SHOP}{page}")), BOT_IP)
    }

    fn invalid_request(&mut self) -> DemoRequest {
        let person = self.pick(&PEOPLE);
        let browser = |target: String| DemoRequest {
            method: Method::Get,
            target,
            user_agent: person.browser,
            referer: Some(format!("{SHOP}/")),
            remote_ip: person.remote_ip,
        };
        let path = self.path.clone();
        let scan = |target: &str| DemoRequest { user_agent: SCANNER, referer: None, remote_ip: BOT_IP, ..browser(target.to_owned()) };
        match self.random.u32(..12) {
            // A visitor who is not logged in.
            0..3 => browser(format!("{path}?type=view")),
            3 => browser(format!("{path}?user_id=&type=view")),
            // A newsletter whose merge tag was not replaced.
            4 => DemoRequest {
                user_agent: MailProgram::Gmail.user_agent(),
                referer: None,
                ..browser(format!("{path}?user_id=%7B%7Buser.id%7D%7D&type=open"))
            },
            // Percent signs that are not part of an encoding, and bytes that are not UTF-8.
            5 => browser(format!("{path}?user_id={}&type=view&order_id=50%-off%zz", person.id)),
            6 => browser(format!("{path}?user_id={}&type=caf%E9", person.id)),
            // Parameters without a column, and a repeated one.
            7 => browser(format!("{path}?user_id={}&type=click&type=view&gclid=Cj0KCQ&debug=1", person.id)),
            8 => DemoRequest {
                method: Method::Head,
                user_agent: LINK_CHECKER,
                referer: None,
                ..browser(format!("{path}?user_id={}", person.id))
            },
            9 => DemoRequest { method: Method::Post, ..scan(&path) },
            10 => browser("/favicon.ico".to_owned()),
            _ => scan("/wp-login.php"),
        }
    }

    fn get(
        &self,
        parameters: &[(&str, String)],
        user_agent: &'static str,
        referer: Option<String>,
        remote_ip: &'static str,
    ) -> DemoRequest {
        let query = Serializer::new(String::new()).extend_pairs(parameters).finish();
        DemoRequest { method: Method::Get, target: format!("{}?{query}", self.path), user_agent, referer, remote_ip }
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.random.usize(..of.len())]
    }
}

impl Visit {
    fn advance(&mut self, random: &mut Rng) {
        self.steps += 1;
        let chance = random.u32(..100);
        self.stage = match self.stage {
            Stage::Arrival | Stage::View | Stage::Click if self.steps > 12 => Stage::End,
            Stage::Arrival | Stage::View => match chance {
                0..45 => Stage::View,
                45..75 => Stage::Click,
                _ => Stage::End,
            },
            Stage::Click => match chance {
                0..60 => Stage::View,
                60..85 => Stage::AddToCart,
                _ => Stage::End,
            },
            Stage::AddToCart if chance < 40 => Stage::Purchase,
            Stage::AddToCart if chance < 70 => Stage::View,
            Stage::AddToCart | Stage::Purchase | Stage::End => Stage::End,
        };
        if self.stage == Stage::View {
            self.page = PAGES[random.usize(..PAGES.len())];
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn requests(seed: u64, count: usize) -> Vec<DemoRequest> {
        let mut traffic = Traffic::new("/pixel.png", seed);
        std::iter::repeat_with(|| traffic.next_request()).take(count).collect()
    }

    #[test]
    fn the_seed_determines_the_requests() {
        assert_eq!(requests(1, 500), requests(1, 500));
        assert_ne!(requests(1, 500), requests(2, 500));
    }

    #[test]
    fn every_kind_of_request_has_its_share() {
        let requests = requests(7, 5000);
        let share = |is: &dyn Fn(&DemoRequest) -> bool| requests.iter().filter(|request| is(request)).count() as f64 / 5000.0;
        let has = |part: &'static str| move |request: &DemoRequest| request.target.contains(part);
        for (what, share, least, most) in [
            ("views", share(&has("type=view")), 0.4, 0.8),
            ("clicks", share(&has("type=click")), 0.1, 0.3),
            ("orders", share(&has("type=purchase")), 0.005, 0.1),
            ("campaigns", share(&has("utm_source=google")), 0.01, 0.2),
            ("opened mails", share(&has("type=open")), 0.1, 0.2),
            ("Gmail's proxy", share(&|request| request.user_agent.contains("GoogleImageProxy")), 0.03, 0.2),
            ("Apple's proxy", share(&|request| request.user_agent == "Mozilla/5.0"), 0.01, 0.2),
            ("crawlers", share(&|request| request.user_agent.contains("bot")), 0.02, 0.1),
            ("HEAD", share(&|request| request.method == Method::Head), 0.002, 0.03),
            ("POST", share(&|request| request.method == Method::Post), 0.002, 0.03),
            ("elsewhere", share(&|request| !request.target.starts_with("/pixel.png")), 0.005, 0.05),
            ("without user_id", share(&|request| !request.target.contains("user_id=")), 0.02, 0.1),
            ("malformed", share(&has("%zz")), 0.002, 0.03),
        ] {
            assert!((least..most).contains(&share), "{what}: {share}");
        }
        let people: HashSet<_> = requests.iter().map(|request| request.remote_ip).collect();
        assert!(people.len() > PEOPLE.len(), "requests of every person");
    }

    #[test]
    fn every_order_has_its_own_id() {
        let requests = requests(3, 5000);
        let orders: Vec<&str> = requests.iter().filter_map(|request| request.target.split_once("order_id=A-")).map(|(_, id)| id).collect();
        assert!(orders.len() > 20);
        assert_eq!(orders.iter().collect::<HashSet<_>>().len(), orders.len());
    }

    #[test]
    fn gaps_are_random_with_a_mean_of_one() {
        let mut traffic = Traffic::new("/pixel.png", 1);
        let gaps: Vec<f64> = std::iter::repeat_with(|| traffic.gap()).take(10_000).collect();
        let mean = gaps.iter().sum::<f64>() / 10_000.0;
        assert!((0.95..1.05).contains(&mean), "{mean}");
        assert!(gaps.iter().all(|gap| gap.is_finite() && *gap >= 0.0));
    }
}
