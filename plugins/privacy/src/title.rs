//! Titles of columns that say that the column is about a person.

/// What a title may end in, as words in lower case; `_`, `-`, spaces, points and capitals divide words.
const ENDINGS: [&[&str]; 66] = [
    &["surname"],
    &["firstname"],
    &["lastname"],
    &["fullname"],
    &["forename"],
    &["username"],
    &["maidenname"],
    &["first", "name"],
    &["last", "name"],
    &["middle", "name"],
    &["full", "name"],
    &["family", "name"],
    &["given", "name"],
    &["maiden", "name"],
    &["user", "name"],
    &["customer", "name"],
    &["client", "name"],
    &["patient", "name"],
    &["employee", "name"],
    &["contact", "name"],
    &["holder", "name"],
    &["address"],
    &["address", "line"],
    &["street"],
    &["birthdate"],
    &["birthday"],
    &["dateofbirth"],
    &["dob"],
    &["birth", "date"],
    &["date", "birth"],
    &["date", "of", "birth"],
    &["place", "of", "birth"],
    &["birthplace"],
    &["email"],
    &["e", "mail"],
    &["phone"],
    &["phone", "number"],
    &["telephone"],
    &["telephone", "number"],
    &["mobile", "number"],
    &["fax"],
    &["ssn"],
    &["social", "security", "number"],
    &["passport"],
    &["passport", "number"],
    &["driving", "licence"],
    &["driver", "license"],
    &["national", "id"],
    &["tax", "id"],
    &["iban"],
    &["card", "number"],
    &["ip"],
    &["vorname"],
    &["nachname"],
    &["geburtsdatum"],
    &["geburtsname"],
    &["strasse"],
    &["prenom"],
    &["date", "naissance"],
    &["date", "de", "naissance"],
    &["apellido"],
    &["apellidos"],
    &["cognome"],
    &["achternaam"],
    &["geboortedatum"],
    &["nazwisko"],
];

/// Whether the title ends in words for a name, an address, a date of birth and their like.
pub fn is_personal(title: &str) -> bool {
    let mut words = words(title);
    // `address_2`
    while words.len() > 1 && words.last().is_some_and(|word| word.bytes().all(|c| c.is_ascii_digit())) {
        words.pop();
    }
    ENDINGS.iter().any(|ending| words.ends_with(&ending.iter().map(ToString::to_string).collect::<Vec<_>>()))
}

fn words(title: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in title.chars() {
        let capital = c.is_uppercase() && before.is_lowercase();
        let number = c.is_ascii_digit() && before.is_alphabetic();
        if !c.is_alphanumeric() || capital || number {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            words.last_mut().expect("it begins with one word").extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles() {
        for title in
            ["surname", "Last Name", "customerEmail", "home_address_2", "e-mail", "DateOfBirth", "client.phone"]
        {
            assert!(is_personal(title), "{title}");
        }
        for title in ["name", "product_name", "email_opens", "address_count", "age", "", "éé", "shipping", "recipe"] {
            assert!(!is_personal(title), "{title}");
        }
    }
}
