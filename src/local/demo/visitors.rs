//! The people, programs and campaigns of the demo.
//!
//! Their addresses are from the blocks reserved for documentation (RFC 5737).

/// A person with a user id, who always uses the same browser.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    /// For most, 24 hexadecimal digits like a MongoDB ObjectId.
    pub(crate) id: &'static str,
    pub(crate) browser: &'static str,
    pub(crate) remote_ip: &'static str,
    pub(crate) mail: MailProgram,
}

/// A person's mail program. It decides who requests the pixel of a newsletter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MailProgram {
    /// Google's proxy requests images from its own address when the mail is opened.
    Gmail,
    /// Apple's proxy requests images whether or not the mail is opened, with a short User-Agent.
    AppleMail,
    /// Requests images itself.
    Thunderbird,
}

impl MailProgram {
    pub(crate) fn user_agent(self) -> &'static str {
        match self {
            Self::Gmail => "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
            Self::AppleMail => "Mozilla/5.0",
            Self::Thunderbird => "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.5.0",
        }
    }

    /// The proxy's address, if there is a proxy.
    pub(crate) fn proxy_ip(self) -> Option<&'static str> {
        match self {
            Self::Gmail => Some("198.51.100.133"),
            Self::AppleMail => Some("198.51.100.24"),
            Self::Thunderbird => None,
        }
    }
}

const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
const CHROME_MAC: &str =
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
const CHROME_ANDROID: &str =
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";
const EDGE: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
const SAFARI: &str =
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15";
const SAFARI_IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1";
const SAMSUNG: &str =
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36";

const fn person(id: &'static str, browser: &'static str, remote_ip: &'static str, mail: MailProgram) -> Person {
    Person { id, browser, remote_ip, mail }
}

/// Few people, so that the list of their tables stays short. The first is the user of the README's example.
pub(crate) const PEOPLE: [Person; 12] = [
    person("507f1f77bcf86cd799439011", CHROME, "203.0.113.7", MailProgram::Gmail),
    person("65a1c0de9b1f4a2e7c3d5501", CHROME_ANDROID, "203.0.113.19", MailProgram::Gmail),
    person("65a1c0de9b1f4a2e7c3d5502", SAFARI_IPHONE, "203.0.113.23", MailProgram::AppleMail),
    person("65a1c0de9b1f4a2e7c3d5503", SAFARI, "203.0.113.42", MailProgram::AppleMail),
    person("65a1c0de9b1f4a2e7c3d5504", FIREFOX, "203.0.113.77", MailProgram::Thunderbird),
    person("65a1c0de9b1f4a2e7c3d5505", EDGE, "203.0.113.81", MailProgram::Gmail),
    person("65a1c0de9b1f4a2e7c3d5506", SAMSUNG, "203.0.113.102", MailProgram::Gmail),
    person("65a1c0de9b1f4a2e7c3d5507", CHROME_MAC, "203.0.113.115", MailProgram::AppleMail),
    person("65a1c0de9b1f4a2e7c3d5508", CHROME, "203.0.113.130", MailProgram::Gmail),
    person("65a1c0de9b1f4a2e7c3d5509", SAFARI_IPHONE, "203.0.113.164", MailProgram::AppleMail),
    // Two ids with other characters than letters and digits: their table names show how a suffix is encoded.
    person("müller@example.com", FIREFOX, "203.0.113.201", MailProgram::Thunderbird),
    person("guest-42", CHROME_ANDROID, "203.0.113.222", MailProgram::Gmail),
];

/// How a visit begins: the referring page, and the campaign parameters of its link.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    /// Empty if there is none.
    pub(crate) referer: &'static str,
    /// `utm_source`, `utm_medium`, `utm_campaign`.
    pub(crate) utm: Option<[&'static str; 3]>,
}

pub(crate) const ORIGINS: [Origin; 6] = [
    Origin { referer: "", utm: None },
    Origin { referer: "https://www.google.com/", utm: None },
    Origin { referer: "https://www.google.com/", utm: Some(["google", "cpc", "autumn_sale"]) },
    Origin { referer: "https://www.facebook.com/", utm: Some(["facebook", "paid_social", "autumn_sale"]) },
    Origin { referer: "https://mail.google.com/", utm: Some(["newsletter", "email", "week_47"]) },
    Origin { referer: "https://news.ycombinator.com/", utm: None },
];

/// The shop whose pages contain the pixel.
pub(crate) const SHOP: &str = "https://shop.example.com";
pub(crate) const PAGES: [&str; 6] = ["/", "/chairs", "/chairs/oak", "/tables/round", "/lamps", "/about"];
pub(crate) const NEWSLETTERS: [&str; 2] = ["week_46", "week_47"];

/// Programs that request everything that a page or a mail contains.
pub(crate) const BOTS: [&str; 4] = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
];
pub(crate) const BOT_IP: &str = "192.0.2.66";
/// Sends HEAD requests to find dead links.
pub(crate) const LINK_CHECKER: &str = "W3C-checklink/5.0.0 libwww-perl/6.78";
pub(crate) const SCANNER: &str = "python-requests/2.32.5";
