"""What notices say in German. What stands in braces is put in by notice_words.py."""

from talktime.operations.notice_said import Language, Said

_BUY = "Guthaben kaufen"
_SEE = "Guthaben ansehen"
_NOTHING = "Es ist nichts zu tun."
_STATEMENT = "Abrechnung ansehen"

SAID = {
    "recharge.succeeded": Said(
        "{amount} für {organisation} automatisch aufgeladen",
        "Das Guthaben war unter den Schwellenwert gefallen. Deshalb wurden automatisch {amount} "
        "aufgeladen.",
        "Anrufe laufen weiter. Der Kontostand beträgt jetzt {balance}.",
        _NOTHING,
        "Zahlung ansehen",
    ),
    "recharge.failed": Said(
        "Automatisches Aufladen für {organisation} ist fehlgeschlagen: neuer Versuch folgt",
        "{amount} konnten nicht abgebucht werden ({method}): {reason}.",
        "Es wurde nichts aufgeladen; der Kontostand beträgt {balance}. Der nächste Versuch ist am "
        "{next}.",
        "Prüfen Sie, ob die Karte belastet werden kann, oder wählen Sie eine andere.",
        "Karte prüfen",
    ),
    "recharge.failed/last": Said(
        "Automatisches Aufladen für {organisation} ist fehlgeschlagen",
        "{amount} konnten nicht abgebucht werden ({method}): {reason}.",
        "Es wurde nichts aufgeladen; der Kontostand beträgt {balance}. Es folgt kein weiterer "
        "Versuch.",
        "Wählen Sie eine andere Karte, oder kaufen Sie selbst Guthaben.",
        _BUY,
    ),
    "recharge.paused": Said(
        "Automatisches Aufladen für {organisation} ist angehalten",
        "Das automatische Aufladen wurde angehalten: {reason}.",
        "Der Kontostand beträgt {balance}. Ist es verbraucht, werden kostenpflichtige Anrufe "
        "abgelehnt.",
        "Beheben Sie die Ursache, und schalten Sie das Aufladen wieder ein.",
        "Automatisches Aufladen öffnen",
    ),
    "purchase.succeeded": Said(
        "{amount} Guthaben für {organisation} gekauft",
        "Ein Kauf über {amount} wurde bezahlt ({method}).",
        "Der Kontostand beträgt jetzt {balance}. Das Gekaufte ist bis {expires} nutzbar.",
        _NOTHING,
        "Kauf ansehen",
    ),
    "purchase.failed": Said(
        "Ein Kauf für {organisation} konnte nicht bezahlt werden",
        "Ein Kauf über {amount} konnte nicht abgebucht werden ({method}): {reason}.",
        "Es kam kein Guthaben hinzu, und nichts wurde belastet. Der Kontostand beträgt {balance}.",
        "Kaufen Sie noch einmal, mit einer anderen Karte oder auf anderem Weg.",
        _BUY,
    ),
    "purchase.invoiced": Said(
        "{organisation}: Guthaben über {amount} wartet auf die Zahlung",
        "Guthaben über {amount} wurde bestellt, zahlbar durch Überweisung.",
        "Das Guthaben kommt mit seiner Rechnung hinzu, sobald die Zahlung eingegangen ist. Ohne "
        "sie verfällt die Bestellung am {given_up_day}.",
        "Überweisen Sie den Betrag, und nennen Sie dabei {reference}.",
        "Kauf ansehen",
    ),
    "purchase.reminded": Said(
        "{organisation}: Guthaben über {amount} wartet noch auf die Zahlung",
        "Guthaben über {amount} wurde bestellt, und bisher ist keine Zahlung eingegangen.",
        "Das Guthaben kommt mit seiner Rechnung hinzu, sobald sie da ist. Ohne sie verfällt die "
        "Bestellung am {given_up_day}.",
        "Überweisen Sie den Betrag, und nennen Sie dabei {reference}. Ist er unterwegs, ist nichts "
        "zu tun.",
        "Kauf ansehen",
    ),
    "balance.zero": Said(
        "{organisation} hat kein Guthaben mehr",
        "Das Guthaben ist verbraucht: Der Kontostand beträgt {balance}.",
        "Kostenpflichtige Anrufe werden abgelehnt, bis wieder Guthaben da ist. Notrufe, ankommende "
        "Anrufe und Freiminuten sind weiter möglich.",
        "Kaufen Sie Guthaben.",
        _BUY,
    ),
    "balance.low": Said(
        "{organisation} hat noch {balance} Guthaben",
        "Das Guthaben ist auf {balance} gefallen und liegt unter dem Schwellenwert von "
        "{threshold}.",
        "Ist es verbraucht, werden kostenpflichtige Anrufe abgelehnt.",
        "Kaufen Sie Guthaben, oder schalten Sie das automatische Aufladen ein.",
        _BUY,
    ),
    "lot.expiring": Said(
        "{remaining} Guthaben von {organisation} verfallen am {expires_day}",
        "Von früher gekauftem Guthaben sind noch {remaining} übrig. Sie verfallen am {expires}.",
        "Was bis dahin nicht verbraucht ist, geht verloren.",
        "Nutzen Sie es vor diesem Tag; späteres Guthaben wird erst danach verbraucht.",
        "Verfallstermine ansehen",
    ),
    "lot.expiring/several": Said(
        "{remaining} Guthaben von {organisation} verfallen am {expires_day}",
        "Von früher gekauftem Guthaben sind noch {remaining} übrig, in {lots} Teilen. Der erste "
        "verfällt am {expires}, die übrigen binnen eines Tages.",
        "Was bis dahin nicht verbraucht ist, geht verloren.",
        "Nutzen Sie es vor diesem Tag; späteres Guthaben wird erst danach verbraucht.",
        "Verfallstermine ansehen",
    ),
    "lot.expired": Said(
        "{forfeited} Guthaben von {organisation} sind verfallen",
        "Früher gekauftes Guthaben ist am {expires} verfallen; {forfeited} davon waren übrig.",
        "Dieser Betrag ist verloren und zählt nicht mehr zum Guthaben.",
        "Prüfen Sie, ob genug Guthaben für Anrufe da ist.",
        _SEE,
    ),
    "recharge.no_card": Said(
        "Automatisches Aufladen von {organisation} hat keine Karte",
        "Das Verfügbare fiel unter {threshold}, und es gibt keine Karte zu belasten.",
        "Es wird nichts gekauft. Ist das Guthaben verbraucht, enden kostenpflichtige Anrufe.",
        "Hinterlegen Sie eine Karte: Das Aufladen beginnt dann von selbst.",
        "Karten öffnen",
    ),
    "card.expiring": Said(
        "Eine Karte von {organisation} läuft bald ab: {method}",
        "Die Karte {method} kann bis Ende {card} belastet werden.",
        "Danach schlagen Käufe und automatisches Aufladen mit ihr fehl.",
        "Hinterlegen Sie die neue Karte.",
        "Karten öffnen",
    ),
    "pool.warning": Said(
        "{percent} der Freiminuten sind verbraucht: {pool}",
        "Von {total}, die enthalten sind ({pool}), hat {organisation} {used} verbraucht.",
        "Sind sie verbraucht, brauchen solche Anrufe Guthaben oder werden abgelehnt.",
        "Prüfen Sie, ob für den Rest des Monats Guthaben da ist.",
        _SEE,
    ),
    "pool.warning/all": Said(
        "Alle Freiminuten sind verbraucht: {pool}",
        "{organisation} hat alle {total}, die enthalten sind, verbraucht ({pool}).",
        "Solche Anrufe brauchen für den Rest des Monats Guthaben oder werden abgelehnt.",
        "Prüfen Sie, ob Guthaben da ist und ob die Benutzer die Lizenz dafür haben.",
        _SEE,
    ),
    "spend_limit.reached": Said(
        "{user} hat das Ausgabenlimit für {month} erreicht",
        "{user} hat das Limit von {limit} für {month} ausgeschöpft.",
        "Kostenpflichtige Anrufe dieses Benutzers werden bis zum nächsten Monat abgelehnt.",
        "Erhöhen Sie das Limit, wenn der Benutzer telefonieren muss.",
        "Benutzer ansehen",
    ),
    "model.changed": Said(
        "{organisation} bezahlt jetzt anders: {model}",
        "Die Zahlungsweise für Anrufe ist jetzt: {model}. Grund: {reason}.",
        "Von jetzt an werden Anrufe so bezahlt.",
        "Falls Sie das nicht erwartet haben, fragen Sie den Betreiber dieses Dienstes.",
        "Organisation ansehen",
    ),
    "grant.added": Said(
        "{amount} Guthaben für {organisation} geschenkt",
        "Es wurden {amount} Guthaben geschenkt. Grund: {reason}.",
        "Es ist bis {expires} nutzbar und kostet nichts.",
        _NOTHING,
        _SEE,
    ),
    "refund.done": Said(
        "{amount} an {organisation} erstattet",
        "Eine Zahlung über {amount} wird erstattet. Grund: {reason}.",
        "Dafür wurden {voided} vom Guthaben abgezogen.",
        _NOTHING,
        _SEE,
    ),
    "refund.done/debt": Said(
        "{amount} an {organisation} erstattet",
        "Eine Zahlung über {amount} wird erstattet. Grund: {reason}.",
        "Dafür wurden {voided} vom Guthaben abgezogen; {debt} waren schon verbraucht und sind nun "
        "offen.",
        "Neues Guthaben begleicht zuerst den offenen Betrag. Kaufen Sie Guthaben, damit Anrufe "
        "weiterlaufen.",
        _BUY,
    ),
    "credits.taken_back": Said(
        "{amount} Guthaben von {organisation} zurückgenommen",
        "Guthaben von {amount}, das von Hand hinzugefügt worden war, wurde zurückgenommen. "
        "Grund: {reason}.",
        "Es steht nicht mehr zur Verfügung.",
        "Kommt das unerwartet, fragen Sie Ihren Betreiber.",
        _SEE,
    ),
    "credits.taken_back/debt": Said(
        "{amount} Guthaben von {organisation} zurückgenommen",
        "Guthaben von {amount}, das von Hand hinzugefügt worden war, wurde zurückgenommen. "
        "Grund: {reason}.",
        "Dafür wurden {voided} vom Guthaben abgezogen; {debt} waren schon verbraucht und sind nun "
        "offen.",
        "Neues Guthaben begleicht zuerst den offenen Betrag. Kommt das unerwartet, fragen Sie "
        "Ihren Betreiber.",
        _BUY,
    ),
    "dispute.opened": Said(
        "Eine Zahlung von {organisation} über {amount} wird bestritten",
        "Die Bank des Karteninhabers hat eine Zahlung über {amount} bestritten.",
        "Bis zur Entscheidung ist das Guthaben aus dieser Zahlung gesperrt.",
        "Ist das ein Irrtum, bitten Sie den Karteninhaber, den Einspruch zurückzunehmen.",
        _SEE,
    ),
    "dispute.opened/debt": Said(
        "Eine Zahlung von {organisation} über {amount} wird bestritten",
        "Die Bank des Karteninhabers hat eine Zahlung über {amount} bestritten.",
        "Bis zur Entscheidung ist dieses Guthaben gesperrt; {debt} waren schon verbraucht und sind "
        "offen.",
        "Ist das ein Irrtum, bitten Sie den Karteninhaber, den Einspruch zurückzunehmen.",
        _SEE,
    ),
    "dispute.won": Said(
        "Der Streit um {amount} von {organisation} ist gewonnen",
        "Über die bestrittene Zahlung von {amount} ist entschieden: Sie bleibt bestehen.",
        "Das Guthaben daraus ist wieder verfügbar.",
        _NOTHING,
        _SEE,
    ),
    "dispute.lost": Said(
        "Der Streit um {amount} von {organisation} ist verloren",
        "Über die bestrittene Zahlung von {amount} wurde für den Karteninhaber entschieden.",
        "Die Zahlung ging zurück, das Guthaben daraus ist weg.",
        "Prüfen Sie, ob genug Guthaben für Anrufe da ist.",
        _BUY,
    ),
    "dispute.lost/debt": Said(
        "Der Streit um {amount} von {organisation} ist verloren",
        "Über die bestrittene Zahlung von {amount} wurde für den Karteninhaber entschieden.",
        "Die Zahlung ging zurück; {debt} davon waren schon verbraucht und sind offen.",
        "Kaufen Sie Guthaben: Es begleicht zuerst den offenen Betrag.",
        _BUY,
    ),
    "statement.closed": Said(
        "Abrechnung {month} für {organisation}: {amount}",
        "Die Abrechnung für {month} liegt vor. Sie beträgt {amount}.",
        "Sie ist bis {payable} zu bezahlen.",
        "Sehen Sie sie durch, und bezahlen Sie sie bis zu diesem Tag.",
        _STATEMENT,
    ),
    "statement.closed/nothing": Said(
        "Abrechnung {month} für {organisation}: nichts zu bezahlen",
        "Die Abrechnung für {month} liegt vor. Sie beträgt weniger, als sich bezahlen lässt.",
        "Für diesen Monat ist nichts offen.",
        _NOTHING,
        _STATEMENT,
    ),
    "statement.due": Said(
        "Abrechnung {month} für {organisation} ist zu bezahlen",
        "Die Abrechnung für {month} über {amount} ist noch nicht bezahlt.",
        "Sie ist bis {payable} zu bezahlen.",
        "Bezahlen Sie sie bis zu diesem Tag.",
        _STATEMENT,
    ),
    "statement.overdue": Said(
        "Abrechnung {month} für {organisation} ist überfällig",
        "Die Abrechnung für {month} über {amount} war bis {payable} zu bezahlen.",
        "Bleibt sie unbezahlt, werden kostenpflichtige Anrufe gesperrt.",
        "Bezahlen Sie sie jetzt.",
        _STATEMENT,
    ),
    "statement.blocked": Said(
        "Kostenpflichtige Anrufe von {organisation} sind gesperrt",
        "Die Abrechnung für {month} über {amount} war bis {payable} zu bezahlen und ist es nicht.",
        "Kostenpflichtige Anrufe werden abgelehnt, bis sie bezahlt ist. Notrufe und ankommende "
        "Anrufe sind weiter möglich.",
        "Bezahlen Sie die Abrechnung.",
        _STATEMENT,
    ),
    "statement.paid": Said(
        "Abrechnung {month} für {organisation} ist bezahlt",
        "Die Zahlung von {amount} für die Abrechnung {month} ist eingegangen.",
        "Für diesen Monat ist nichts mehr offen.",
        _NOTHING,
        _STATEMENT,
    ),
    "statement.payment_undone": Said(
        "Eine Zahlung der Abrechnung {month} für {organisation} wurde rückgängig gemacht",
        "Eine Zahlung der Abrechnung für {month} wurde rückgängig gemacht: {reason}.",
        "{amount} sind bis {payable} zu bezahlen; danach können kostenpflichtige Anrufe gesperrt "
        "werden.",
        "Bezahlen Sie sie, oder fragen Sie den Betreiber, wenn Sie bezahlt haben.",
        _STATEMENT,
    ),
    "webhook.disabled": Said(
        "Ein Webhook-Endpunkt von {organisation} wurde abgeschaltet",
        "Der Endpunkt {url} nimmt keine Ereignisse mehr an: {reason}.",
        "Es wird nichts mehr dorthin gesendet. Was nicht zugestellt wurde, kann von Hand noch "
        "einmal gesendet werden.",
        "Bringen Sie den Endpunkt in Ordnung, und schalten Sie ihn wieder ein.",
        "Endpunkt ansehen",
    ),
    "notice.test": Said(
        "Test: Mitteilungen für {organisation} kommen an",
        "Das ist ein Test, den {asked_by} von der Konsole gesendet hat.",
        "Es ist nichts geschehen: Er zeigt nur, dass Mitteilungen Sie erreichen.",
        _NOTHING,
        "Ansehen, wer was erfährt",
    ),
    "notices.digest": Said(
        "{organisation}: was seit {first_day} geschehen ist",
        "Zwischen {first} und {last} konnten keine Mails gesendet werden. Die Mitteilungen aus "
        "dieser Zeit werden nicht einzeln gesendet ({count}):",
        "Jede von ihnen steht in der Liste der Mitteilungen.",
        "Sehen Sie die Liste durch.",
        "Mitteilungen ansehen",
    ),
}

TITLES = {
    "recharge.succeeded": "Automatisch aufgeladen",
    "recharge.failed": "Automatisches Aufladen fehlgeschlagen",
    "recharge.paused": "Automatisches Aufladen angehalten",
    "recharge.no_card": "Automatisches Aufladen ohne Karte",
    "purchase.succeeded": "Guthaben gekauft",
    "purchase.failed": "Kauf nicht bezahlt",
    "purchase.invoiced": "Kauf wartet auf Zahlung",
    "purchase.reminded": "Kauf wartet noch auf Zahlung",
    "balance.zero": "Guthaben verbraucht",
    "balance.low": "Guthaben niedrig",
    "lot.expiring": "Guthaben verfällt bald",
    "lot.expired": "Guthaben verfallen",
    "card.expiring": "Karte läuft ab",
    "pool.warning": "Freiminuten gehen zur Neige",
    "spend_limit.reached": "Ausgabenlimit eines Benutzers erreicht",
    "model.changed": "Zahlungsweise geändert",
    "grant.added": "Guthaben geschenkt",
    "refund.done": "Zahlung erstattet",
    "credits.taken_back": "Guthaben zurückgenommen",
    "dispute.opened": "Zahlung bestritten",
    "dispute.won": "Streit gewonnen",
    "dispute.lost": "Streit verloren",
    "statement.closed": "Abrechnung liegt vor",
    "statement.due": "Abrechnung zu bezahlen",
    "statement.overdue": "Abrechnung überfällig",
    "statement.blocked": "Anrufe gesperrt, bis die Abrechnung bezahlt ist",
    "statement.paid": "Abrechnung bezahlt",
    "statement.payment_undone": "Zahlung einer Abrechnung rückgängig gemacht",
    "webhook.disabled": "Webhook-Endpunkt abgeschaltet",
    "notice.test": "Test",
    "notices.digest": "Zusammenfassung",
}

GERMAN = Language(
    code="de",
    said=SAID,
    titles=TITLES,
    facts={
        "amount": "Betrag",
        "balance": "Kontostand",
        "threshold": "Schwellenwert",
        "remaining": "Übrig",
        "forfeited": "Verfallen",
        "voided": "Abgezogenes Guthaben",
        "debt": "Offen",
        "limit": "Limit",
        "expires": "Verfällt",
        "payable": "Zu bezahlen bis",
        "next": "Nächster Versuch",
        "method": "Bezahlt mit",
        "card": "Karte gültig bis",
        "reference": "Anzugeben",
        "bank": "Konto",
        "document": "Beleg",
        "po": "Bestellnummer",
        "user": "Benutzer",
        "pool": "Minuten",
        "month": "Monat",
        "model": "Zahlungsweise",
        "reason": "Grund",
        "url": "Endpunkt",
        "at": "Wann",
    },
    reasons={
        "not_paid": "es ist keine Zahlung eingegangen",
        "insufficient_funds": "das Konto ist nicht gedeckt",
        "expired_card": "die Karte ist abgelaufen",
        "card_declined": "die Bank hat die Karte abgelehnt",
        "generic_decline": "die Bank hat die Karte abgelehnt",
        "do_not_honor": "die Bank hat die Karte abgelehnt",
        "authentication_required": "die Bank verlangt eine Bestätigung durch den Karteninhaber",
        "incorrect_cvc": "die Prüfziffer der Karte ist falsch",
        "processing_error": "die Bank konnte die Zahlung nicht verarbeiten",
        "lost_card": "die Karte wurde als verloren gemeldet",
        "stolen_card": "die Karte wurde als gestohlen gemeldet",
        "card_velocity_exceeded": "das Limit der Karte ist erreicht",
    },
    models={
        "prepaid": "vorausbezahltes Guthaben",
        "draining": "Guthaben, bis es verbraucht ist, danach Abrechnung nach Verbrauch",
        "post_usage": "Abrechnung nach Verbrauch",
    },
    counters={
        "domestic": "Inland",
        "international": "Ausland",
        "conference": "Konferenzen",
    },
    minutes="{number} Min.",
    footer="Diese Mail hat Talktime an {email} gesendet; die Adresse erhält Mitteilungen von "
    "{organisation}. Zeiten gelten in {zone}.",
    colon=":",
)
