//! One run: a seed, the simulated parts, and the clock that they share.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use fastrand::Rng;
use pixel_pipeline::config::settings::MAX_IN_FLIGHT_BYTES;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::bigquery::{BigQuery, DEAD_LETTERS, TEMPLATE};
use crate::checker::{Checker, table_of};
use crate::faults::{END, Event, FaultKind, LAST_PUBLISH, Plan, Target};
use crate::history::{Counts, History};
use crate::instance::Instance;
use crate::message::{Kind, Message, Poison};
use crate::pubsub;
use crate::settings::{self, Settings};
use crate::subscription;

/// Messages of one run.
const MESSAGES: usize = 200;
/// Time for all messages to be acknowledged after the last fault: pauses of Pub/Sub, of the batcher and of the watcher of
/// the template table, and Retry-After.
const RECOVERY: Duration = Duration::from_secs(180);

/// How messages reach the instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Push,
    Pull { is_exactly_once: bool },
}

/// Everything that the parts of a run share.
#[derive(Debug)]
pub struct World {
    pub settings: &'static Settings,
    pub source: Source,
    pub plan: Plan,
    began: Instant,
    rng: Mutex<Rng>,
    bigquery: Mutex<BigQuery>,
    checker: Mutex<Checker>,
    instances: Mutex<Vec<Arc<Instance>>>,
}

/// The result of a run.
#[derive(Debug)]
pub struct Run {
    pub violation: Option<String>,
    pub trace: Vec<String>,
    pub counts: Counts,
}

/// Runs one seed.
pub fn run(seed: u64, is_traced: bool) -> Run {
    let mut rng = Rng::with_seed(seed);
    let settings = settings::variant(if rng.bool() { 0 } else { rng.usize(..settings::COUNT) });
    let users = rng.usize(1..8);
    let plan = Plan::random(users, &mut rng);
    let source = match rng.u8(..4) {
        0 => Source::Pull { is_exactly_once: false },
        1 => Source::Pull { is_exactly_once: true },
        _ => Source::Push,
    };
    run_plan(settings, source, users, plan, rng, is_traced)
}

/// Runs a plan. The rest is random.
pub fn run_plan(settings: &'static Settings, source: Source, users: usize, plan: Plan, mut rng: Rng, is_traced: bool) -> Run {
    // The program's delays between retries come from this generator.
    fastrand::seed(rng.u64(..));
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let (world, messages) = World::new(settings, source, users, plan, rng, is_traced);
        world.run(messages).await;
        let (violation, trace, counts) = world.checker().history.finish();
        Run { violation, trace, counts }
    })
}

impl World {
    fn new(
        settings: &'static Settings,
        source: Source,
        users: usize,
        plan: Plan,
        mut rng: Rng,
        is_traced: bool,
    ) -> (Arc<Self>, Vec<Arc<Message>>) {
        let messages = random_messages(users, &plan, &mut rng);
        let mut history = History::new(is_traced);
        history.note(|| format!("flags {:?}, {source:?}, {users} users, {plan:?}", settings.flags));
        let checker = Checker::new(history, settings, &messages);
        let world = Self {
            settings,
            source,
            began: Instant::now(),
            bigquery: Mutex::new(BigQuery::new(plan.is_calm, rng.fork())),
            rng: Mutex::new(rng),
            plan,
            checker: Mutex::new(checker),
            instances: Mutex::default(),
        };
        (Arc::new(world), messages.into_iter().map(Arc::new).collect())
    }

    async fn run(self: &Arc<Self>, messages: Vec<Arc<Message>>) {
        for _ in 0..self.random(1..4) {
            self.add_instance();
        }
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(self).send_events());
        for message in messages {
            match self.source {
                Source::Push => tasks.spawn(pubsub::deliver(Arc::clone(self), message)),
                Source::Pull { .. } => tasks.spawn(subscription::deliver(Arc::clone(self), message)),
            };
        }
        let all = async { while tasks.join_next().await.is_some_and(|ended| ended.is_ok() || panic!("{ended:?}")) {} };
        let is_settled = timeout(END + RECOVERY, all).await.is_ok();
        if !is_settled {
            self.note(|| "not everything is settled".to_owned());
        }
        self.checker().finish();
        for instance in self.instances().iter() {
            instance.shut_down();
        }
        // The last answers, and the end of the batchers.
        tokio::time::sleep(2 * self.settings.config.push_deadline + Duration::from_secs(15)).await;
        self.checker().finish_inserts();
        for instance in std::mem::take(&mut *self.instances()) {
            instance.kill();
        }
    }

    async fn send_events(self: Arc<Self>) {
        for (at, event) in &self.plan.events {
            tokio::time::sleep_until(self.began + *at).await;
            self.note(|| format!("event {event:?}"));
            self.apply(*event);
        }
        tokio::time::sleep_until(self.began + END).await;
        // What the operator has to do.
        self.note(|| "end of all faults".to_owned());
        self.bigquery().set_view(false);
        if !self.settings.is_auto_create {
            self.bigquery().create(TEMPLATE, self.now());
            self.bigquery().create(DEAD_LETTERS, self.now());
        }
    }

    fn apply(self: &Arc<Self>, event: Event) {
        self.checker().history.counts.faults += 1;
        let now = self.now();
        match event {
            Event::Kill => {
                if let Some(instance) = self.pick() {
                    self.kill(instance.id);
                }
            }
            Event::Shutdown => {
                if let Some(instance) = self.pick() {
                    instance.shut_down();
                    self.replace(instance.id, 0);
                }
            }
            Event::DeleteTemplate => self.bigquery().delete(TEMPLATE),
            Event::ReplaceTemplate => {
                let text = self.bigquery().replace_template(now);
                self.note(|| text);
            }
            Event::ChangeSchema => {
                let text = self.bigquery().change_schema(now);
                self.note(|| text);
            }
            Event::DeleteDeadLetterTable => self.bigquery().delete(DEAD_LETTERS),
            Event::ReplaceTemplateByView => self.bigquery().set_view(true),
            Event::RestoreTemplate => self.bigquery().set_view(false),
            Event::DeleteTable => {
                let name = self.bigquery().delete_generated();
                self.note(|| format!("{name:?} is deleted"));
            }
            Event::ExpireTokens => self.bigquery().expire_tokens(),
        }
    }

    fn add_instance(self: &Arc<Self>) {
        let id = self.instances().len();
        self.note(|| format!("i{id} starts"));
        let instance = Instance::start(self, id);
        self.instances().push(instance);
    }

    /// Starts another instance after this time.
    pub fn replace(self: &Arc<Self>, id: usize, millis: u64) {
        self.note(|| format!("i{id} is replaced"));
        let world = Arc::clone(self);
        tokio::spawn(async move {
            world.sleep(millis).await;
            if !world.is_over() {
                world.add_instance();
            }
        });
    }

    fn kill(self: &Arc<Self>, id: usize) {
        let instance = Arc::clone(&self.instances()[id]);
        if instance.is_running() {
            self.note(|| format!("i{id} is killed"));
            self.checker().history.counts.kills += 1;
            instance.kill();
            self.replace(id, 200);
        }
    }

    /// Kills an instance by chance, until the end of the faults.
    pub fn may_kill(self: &Arc<Self>, id: usize) {
        if self.plan.kill_chance > 0 && self.now() < END && self.random(0..1000) < self.plan.kill_chance.into() {
            self.kill(id);
        }
    }

    /// A running instance.
    pub fn pick(&self) -> Option<Arc<Instance>> {
        let running: Vec<Arc<Instance>> = self.instances().iter().filter(|instance| instance.is_running()).cloned().collect();
        // The front end may not know yet that an instance is shutting down.
        let stopping = self.instances().iter().rev().find(|instance| instance.is_shutting_down()).cloned();
        match stopping {
            Some(instance) if self.happens(2) => Some(instance),
            _ => self.rng().choice(running),
        }
    }

    /// The fault of the plan that hits a request now.
    pub fn roll(&self, hits: impl Fn(Target) -> bool) -> Option<FaultKind> {
        let fault = self.plan.active(self.now(), hits).find(|fault| self.random(0..100) < fault.percent.into()).map(|fault| fault.kind);
        self.checker().history.counts.faults += u64::from(fault.is_some());
        fault
    }

    /// Whether something happens with this chance in percent, unless the run is calm.
    pub fn happens(&self, percent: u64) -> bool {
        !self.plan.is_calm && self.random(0..100) < percent
    }

    /// Whether this instance is shutting down, or has ended.
    pub fn is_shutting_down(&self, id: usize) -> bool {
        self.instances().get(id).is_some_and(|instance| instance.is_shutting_down())
    }

    /// Whether Pub/Sub gives the message up, and moves it to the dead-letter topic.
    pub fn is_given_up(&self, message: &Message) -> bool {
        message.kind == Kind::Poison(Poison::Request) && self.now() > END
    }

    /// Whether a pulled message is delivered at most once after its acknowledgement is confirmed.
    pub fn is_exactly_once(&self) -> bool {
        self.source == Source::Pull { is_exactly_once: true }
    }

    /// A message of a healthy table is stored at its first delivery.
    pub fn check_progress(&self, message: &Message, since: Duration, is_acked: bool) {
        let (plan, settings) = (&self.plan, self.settings);
        let shares_table = |user: usize| table_of(settings, user) == table_of(settings, message.user);
        if !plan.is_calm || message.kind != Kind::Valid || settings.inserts < 100 || shares_table(plan.only_table.unwrap_or(0)) {
            return;
        }
        // Rows of the table that fails may take all the memory. A pulled message waits for it then, and a push is answered 429.
        if self.source != Source::Push && !settings.config.values.text(&MAX_IN_FLIGHT_BYTES).is_empty() {
            return;
        }
        let took = self.now() - since;
        let is_late = settings.rows > 100 && settings.bytes > 100_000 && took > Duration::from_millis(1000);
        if !is_acked || is_late {
            self.checker().hindered(message.id, is_acked, took);
        }
    }

    /// Whether there is nothing to wait for.
    pub fn is_over(&self) -> bool {
        self.now() > END + RECOVERY || self.checker().history.is_violated()
    }

    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub async fn sleep(&self, millis: u64) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    pub fn random(&self, range: Range<u64>) -> u64 {
        if range.is_empty() { range.start } else { self.rng().u64(range) }
    }

    pub fn note(&self, line: impl FnOnce() -> String) {
        self.checker().history.note(line);
    }

    pub fn violate(&self, text: String) {
        self.checker().history.violate(text);
    }

    pub fn bigquery(&self) -> MutexGuard<'_, BigQuery> {
        self.bigquery.lock().unwrap()
    }

    pub fn checker(&self) -> MutexGuard<'_, Checker> {
        self.checker.lock().unwrap()
    }

    fn rng(&self) -> MutexGuard<'_, Rng> {
        self.rng.lock().unwrap()
    }

    fn instances(&self) -> MutexGuard<'_, Vec<Arc<Instance>>> {
        self.instances.lock().unwrap()
    }
}

/// Some at once, the others one by one.
fn random_messages(users: usize, plan: &Plan, rng: &mut Rng) -> Vec<Message> {
    let bursts: Vec<u64> = (0..3).map(|_| rng.u64(..LAST_PUBLISH.as_millis() as u64)).collect();
    let (share_in_bursts, share_poison) = (rng.u8(..100), [0, 2, 20][rng.usize(..3)]);
    let poison = [Poison::Row, Poison::Neighbours, Poison::Request];
    let message = |id| {
        let user = rng.usize(..users);
        let may_be_poison = !plan.is_calm || user == plan.only_table.unwrap_or(0);
        let kind = match rng.u8(..100) {
            0..8 => Kind::Filtered,
            8..16 => Kind::Bad,
            other if other >= 100 - share_poison && may_be_poison => Kind::Poison(poison[rng.usize(..3)]),
            _ => Kind::Valid,
        };
        let millis =
            if rng.u8(..100) < share_in_bursts { bursts[rng.usize(..bursts.len())] } else { rng.u64(..LAST_PUBLISH.as_millis() as u64) };
        Message::random(id, kind, user, Duration::from_millis(millis), rng)
    };
    (0..MESSAGES).map(message).collect()
}
