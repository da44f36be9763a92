//! The made-up world: who pays, where, when and how much. Knows nothing of tables.
//!
//! Everything that is random comes from one generator, in the order of time, so that a seed decides all of it. Between
//! the world as it was and the changed one lies `drift`, from 0 to 1, at each moment.

use crate::config::Config;
use crate::random::Random;

pub const DAY: i64 = 24 * HOUR;
pub const HOUR: i64 = 3_600_000_000;

/// A shop's trade: its share of the payments before and after the change, the logarithm of the usual amount with its
/// spread, and how much it draws fraud (in logits).
pub struct Category {
    pub name: &'static str,
    share: f64,
    changed_share: f64,
    log_amount: f64,
    spread: f64,
    pub risk: f64,
}

const fn category(name: &'static str, shares: (f64, f64), amount: (f64, f64), risk: f64) -> Category {
    Category { name, share: shares.0, changed_share: shares.1, log_amount: amount.0, spread: amount.1, risk }
}

pub const CATEGORIES: [Category; 14] = [
    category("groceries", (24.0, 17.0), (3.3, 0.6), -0.6),
    category("restaurants", (14.0, 12.0), (3.1, 0.6), -0.3),
    category("fuel", (9.0, 5.0), (3.7, 0.4), -0.2),
    category("fashion", (9.0, 9.0), (4.0, 0.7), 0.1),
    category("electronics", (6.0, 7.0), (5.0, 0.9), 0.7),
    category("travel", (4.0, 3.0), (5.4, 0.9), 0.4),
    category("health", (5.0, 4.0), (3.5, 0.7), -0.5),
    category("utilities", (6.0, 4.0), (4.2, 0.4), -0.8),
    category("entertainment", (7.0, 8.0), (2.9, 0.6), -0.1),
    category("marketplace", (8.0, 15.0), (3.6, 0.9), 0.4),
    category("gift-cards", (2.0, 6.0), (3.7, 0.5), 1.3),
    category("crypto", (1.0, 5.0), (4.9, 1.1), 1.4),
    category("jewellery", (1.0, 1.0), (5.6, 0.8), 0.9),
    category("transport", (4.0, 4.0), (2.3, 0.5), -0.6),
];
pub const GIFT_CARDS: usize = 10;
pub const CRYPTO: usize = 11;
const EXPENSIVE: [usize; 2] = [4, 12];
/// What is paid on average.
const USUAL: f64 = 68.0;

pub const COUNTRIES: [&str; 11] = ["DE", "FR", "NL", "PL", "ES", "IT", "AT", "BE", "CH", "GB", "US"];
/// Customers live in the first of them, as many as this says.
const HOMES: [f64; 8] = [34.0, 16.0, 12.0, 11.0, 9.0, 8.0, 6.0, 4.0];

pub const CHANNELS: [&str; 5] = ["pos", "online", "app", "atm", "phone"];
const CHANNEL_SHARES: [(f64, f64); 5] = [(48.0, 30.0), (27.0, 22.0), (17.0, 43.0), (5.0, 2.0), (3.0, 3.0)];
pub const POS: usize = 0;
pub const APP: usize = 2;
pub const ATM: usize = 3;
pub const PHONE: usize = 4;

pub const DEVICES: [&str; 6] = ["android", "ios", "windows", "mac", "terminal", "landline"];
const TERMINAL: usize = 4;
const LANDLINE: usize = 5;

pub const AGE_BANDS: [&str; 4] = ["18-25", "26-40", "41-60", "61+"];
const AGES: [f64; 4] = [17.0, 33.0, 32.0, 18.0];
pub const OLDEST: usize = 3;
/// How much more or less than others each age band uses the app, and the phone.
const APP_BY_AGE: [f64; 4] = [1.9, 1.3, 0.8, 0.35];
const PHONE_BY_AGE: [f64; 4] = [0.3, 0.5, 1.0, 3.5];

/// How many payments are made in each hour of a day, relative to each other.
const HOURS: [f64; 24] = [
    0.9, 0.6, 0.4, 0.3, 0.3, 0.5, 1.2, 2.6, 4.0, 4.8, 5.4, 6.2, 7.2, 6.6, 5.8, 5.6, 6.2, 7.4, 7.8, 6.8, 5.4, 4.2, 2.8,
    1.6,
];

/// A payment, as the bank sees it.
#[derive(Clone, Debug)]
pub struct Payment {
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    pub customer: usize,
    /// Which of the customer's cards.
    pub card: usize,
    pub amount: f64,
    pub category: usize,
    pub channel: usize,
    pub device: Option<usize>,
    pub new_device: bool,
    pub home: usize,
    pub country: Option<usize>,
    /// The customer's payments in the 24 hours before.
    pub payments_24h: usize,
    /// The amount over the mean of the customer's payments so far; nothing for the first, and sometimes not known.
    pub amount_ratio: Option<f64>,
    pub age: Option<usize>,
    /// The logit of its being fraud, up to a constant.
    pub risk: f64,
}

struct Customer {
    home: usize,
    age: usize,
    tells_age: bool,
    device: usize,
    cards: usize,
    /// The logarithm of what this customer spends relative to others.
    spends: f64,
    /// Times of the last 24 hours.
    recent: Vec<i64>,
    paid: f64,
    payments: usize,
}

/// Makes all payments, in the order of time.
///
/// `start` is in microseconds since 1970-01-01T00:00:00Z.
pub fn payments(config: &Config, start: i64) -> Vec<Payment> {
    let mut world = World::new(config);
    (0..config.rows)
        .map(|row| {
            let part = (f64::from(row) + world.random.uniform()) / f64::from(config.rows);
            let drift = if part >= config.drift_from { config.drift } else { 0.0 };
            world.payment(start + moment(part * f64::from(config.days)), drift)
        })
        .collect()
}

/// The moment at which so many days' worth of payments has been made: few fall into the night.
fn moment(days: f64) -> i64 {
    let mut left = days.fract() * HOURS.iter().sum::<f64>();
    let mut hour = 0;
    while hour < 23 && left >= HOURS[hour] {
        left -= HOURS[hour];
        hour += 1;
    }
    let part = (left / HOURS[hour]).min(0.999_999);
    days as i64 * DAY + hour as i64 * HOUR + (part * HOUR as f64) as i64
}

struct World {
    random: Random,
    customers: Vec<Customer>,
    /// Customers who are about to pay again, and how often.
    sprees: Vec<(usize, usize)>,
    /// So many at the same time that a spree takes hours, however many payments a day has.
    most_sprees: usize,
}

impl World {
    fn new(config: &Config) -> Self {
        let mut random = Random::new(config.seed);
        // About 20 payments a customer, so that most are known when they pay.
        let count = (config.rows as usize / 20).max(50);
        let customers = (0..count).map(|_| Customer::new(&mut random)).collect();
        let most_sprees = (f64::from(config.rows) / f64::from(config.days) / 40.0).ceil() as usize;
        Self { random, customers, sprees: Vec::new(), most_sprees }
    }

    fn payment(&mut self, time: i64, drift: f64) -> Payment {
        let id = self.next_customer();
        let random = &mut self.random;
        let customer = &mut self.customers[id];
        let between = |(before, after): (f64, f64)| before + (after - before) * drift;

        let category = random.weighted(CATEGORIES.iter().map(|one| between((one.share, one.changed_share))));
        let by_age = [1.0, 1.0, APP_BY_AGE[customer.age], 1.0, PHONE_BY_AGE[customer.age]];
        let channel =
            random.weighted(CHANNEL_SHARES.iter().zip(by_age).map(|(&shares, factor)| between(shares) * factor));
        let new_device = ![POS, ATM].contains(&channel) && random.chance(0.05);
        let device = match channel {
            POS | ATM => TERMINAL,
            PHONE => LANDLINE,
            _ if new_device => random.below(TERMINAL),
            _ => customer.device,
        };
        let abroad = random.chance(if channel == POS { 0.05 } else { 0.13 });
        let country = if abroad { random.below(COUNTRIES.len()) } else { customer.home };
        let trade = &CATEGORIES[category];
        let log_amount = trade.log_amount + customer.spends + 0.7 * drift + trade.spread * random.normal();
        let amount = (log_amount.exp() * 100.0).round().max(50.0) / 100.0;

        customer.recent.retain(|&before| before > time - DAY);
        let known = customer.payments > 0 && !random.chance(0.02);
        let amount_ratio = known.then(|| amount * customer.payments as f64 / customer.paid);
        let mut payment = Payment {
            time,
            customer: id,
            card: random.below(customer.cards),
            amount,
            category,
            channel,
            device: (!random.chance(0.03)).then_some(device),
            new_device,
            home: customer.home,
            country: (!random.chance(0.01)).then_some(country),
            payments_24h: customer.recent.len(),
            amount_ratio,
            age: customer.tells_age.then_some(customer.age),
            risk: 0.0,
        };
        payment.risk = risk(&payment, customer.age, country != customer.home, drift);
        customer.recent.push(time);
        customer.paid += amount;
        customer.payments += 1;
        payment
    }

    /// Often one who has just paid, so that some pay many times a day.
    fn next_customer(&mut self) -> usize {
        let random = &mut self.random;
        if !self.sprees.is_empty() && random.chance(0.15) {
            let place = random.below(self.sprees.len());
            let (customer, left) = self.sprees[place];
            match left {
                1 => drop(self.sprees.swap_remove(place)),
                _ => self.sprees[place].1 -= 1,
            }
            return customer;
        }
        let customer = random.below(self.customers.len());
        if random.chance(0.05) && self.sprees.len() < self.most_sprees {
            self.sprees.push((customer, 1 + random.below(6)));
        }
        customer
    }
}

impl Customer {
    fn new(random: &mut Random) -> Self {
        let spends = 0.45 * random.normal();
        // Most were customers before the first payment here.
        let payments = if random.chance(0.9) { 10 } else { 0 };
        Self {
            home: random.weighted(HOMES.iter().copied()),
            age: random.weighted(AGES.iter().copied()),
            tells_age: !random.chance(0.02),
            device: random.weighted([38.0, 30.0, 20.0, 12.0].into_iter()),
            cards: 1 + usize::from(random.chance(0.3)),
            spends,
            recent: Vec::new(),
            paid: payments as f64 * USUAL * spends.exp(),
            payments,
        }
    }
}

/// What draws fraud. Single signs say little; together they say much: at night from a new device, much more than usual
/// from abroad, one payment after the other. In the changed world, many small payments by app take their place.
fn risk(payment: &Payment, age: usize, abroad: bool, drift: f64) -> f64 {
    let night = payment.time.rem_euclid(DAY) < 6 * HOUR;
    let remote = ![POS, ATM].contains(&payment.channel);
    let app = payment.channel == APP;
    let ratio = payment.amount_ratio.unwrap_or(1.0);
    let again = payment.payments_24h;
    let mut risk = CATEGORIES[payment.category].risk;
    let mut add = |holds: bool, logits: f64| risk += if holds { logits } else { 0.0 };
    add(night && remote, 1.6 * (1.0 - drift));
    add(payment.new_device, 2.2);
    add(abroad, 0.9);
    add(abroad && ratio > 2.0, 1.5 * (1.0 - 0.5 * drift));
    add(ratio > 4.0, 0.9);
    add(EXPENSIVE.contains(&payment.category) && remote && ratio > 2.0, 1.3);
    add(payment.channel == ATM && abroad && night, 2.0);
    add(payment.channel == POS && !abroad, -1.8);
    add(payment.channel == PHONE && age == OLDEST, 1.6);
    add(app && again >= 2 && payment.amount < 40.0, 3.2 * drift);
    add(app && [GIFT_CARDS, CRYPTO].contains(&payment.category), 1.8 * drift);
    risk + 1.1 * (again as f64).ln_1p().min(2.2)
}
