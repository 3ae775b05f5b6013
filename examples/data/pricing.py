"""Prices of a small shop."""


def net_price(gross: float) -> float:
    """Take 19 percent of tax off a gross price, rounded to cents.

    >>> net_price(119.0)
    100.0
    >>> net_price(11.9)
    10.0
    """
    return round(gross / 1.19, 2)


def discount(quantity: int) -> int:
    """Percent off: 5 from ten pieces on, 10 from fifty.

    >>> discount(9)
    0
    >>> discount(10)
    5
    >>> discount(50)
    10
    """
    if quantity > 50:
        return 10
    if quantity > 10:
        return 5
    return 0


def initials(name):
    """The first letters of all names.

    >>> initials("Ada Lovelace")
    'A. L.'
    >>> initials("Grace Brewster Hopper")
    'G. B. H.'
    """
    parts = name.split(" ")
    return parts[0][0] + ". " + parts[1][0] + "."


def collect(item, basket=[]):
    try:
        basket.append(item)
    except:
        pass
    return basket
