//! Who publishes a record: the numbers that stand for a data set and one of its markets.

/// Runs of publishers of one data set, counted on from 1: the data set, and the markets.
const PUBLISHERS: &[(&str, &[&str])] = &[
    ("GLBX.MDP3", &["GLBX"]),
    ("XNAS.ITCH", &["XNAS"]),
    ("XBOS.ITCH", &["XBOS"]),
    ("XPSX.ITCH", &["XPSX"]),
    ("BATS.PITCH", &["BATS"]),
    ("BATY.PITCH", &["BATY"]),
    ("EDGA.PITCH", &["EDGA"]),
    ("EDGX.PITCH", &["EDGX"]),
    ("XNYS.PILLAR", &["XNYS"]),
    ("XCIS.PILLAR", &["XCIS"]),
    ("XASE.PILLAR", &["XASE"]),
    ("XCHI.PILLAR", &["XCHI"]),
    ("XCIS.BBO", &["XCIS"]),
    ("XCIS.TRADES", &["XCIS"]),
    ("MEMX.MEMOIR", &["MEMX"]),
    ("EPRL.DOM", &["EPRL"]),
    ("XNAS.NLS", &["FINN", "FINC"]),
    ("XNYS.TRADES", &["FINY"]),
    (
        "OPRA.PILLAR",
        &[
            "AMXO", "XBOX", "XCBO", "EMLD", "EDGO", "GMNI", "XISX", "MCRY", "XMIO", "ARCO", "OPRA", "MPRL",
            "XNDQ", "XBXO", "C2OX", "XPHL", "BATO", "MXOP",
        ],
    ),
    ("IEXG.TOPS", &["IEXG"]),
    ("DBEQ.BASIC", &["XCHI", "XCIS", "IEXG", "EPRL"]),
    ("ARCX.PILLAR", &["ARCX"]),
    ("XNYS.BBO", &["XNYS"]),
    ("XNYS.TRADES", &["XNYS"]),
    ("XNAS.QBBO", &["XNAS"]),
    ("XNAS.NLS", &["XNAS"]),
    ("EQUS.PLUS", &["XCHI", "XCIS", "IEXG", "EPRL", "XNAS", "XNYS", "FINN", "FINY", "FINC"]),
    ("IFEU.IMPACT", &["IFEU"]),
    ("NDEX.IMPACT", &["NDEX"]),
    ("DBEQ.BASIC", &["DBEQ"]),
    ("EQUS.PLUS", &["EQUS"]),
    ("OPRA.PILLAR", &["SPHR"]),
    (
        "EQUS.ALL",
        &[
            "XCHI", "XCIS", "IEXG", "EPRL", "XNAS", "XNYS", "FINN", "FINY", "FINC", "BATS", "BATY", "EDGA",
            "EDGX", "XBOS", "XPSX", "MEMX", "XASE", "ARCX", "LTSE",
        ],
    ),
    ("XNAS.BASIC", &["XNAS", "FINN", "FINC"]),
    ("IFEU.IMPACT", &["XOFF"]),
    ("NDEX.IMPACT", &["XOFF"]),
    ("XNAS.NLS", &["XBOS", "XPSX"]),
    ("XNAS.BASIC", &["XBOS", "XPSX"]),
    ("EQUS.SUMMARY", &["EQUS"]),
    ("XCIS.TRADESBBO", &["XCIS"]),
    ("XNYS.TRADESBBO", &["XNYS"]),
    ("XNAS.BASIC", &["EQUS"]),
    ("EQUS.ALL", &["EQUS"]),
    ("EQUS.MINI", &["EQUS"]),
    ("XNYS.TRADES", &["EQUS"]),
    ("IFUS.IMPACT", &["IFUS", "XOFF"]),
    ("IFLL.IMPACT", &["IFLL", "XOFF"]),
    ("XEUR.EOBI", &["XEUR"]),
    ("XEEE.EOBI", &["XEEE"]),
    ("XEUR.EOBI", &["XOFF"]),
    ("XEEE.EOBI", &["XOFF"]),
    ("XCBF.PITCH", &["XCBF", "XOFF"]),
    ("OCEA.MEMOIR", &["OCEA"]),
    ("OPRA.PILLAR", &["MXTO", "IEXO"]),
    ("MAIN.CGIF", &["MAIN"]),
    (
        "EQUS.SIP",
        &[
            "XASE", "XBOS", "XCIS", "TXSE", "24EQ", "EPRL", "XISX", "EDGA", "EDGX", "LTSE", "XCHI", "XNYS",
            "ARCX", "XNAS", "MEMX", "IEXG", "XPSX", "BATY", "BATS", "FINN", "FINY", "FINC", "XADF", "CTA",
            "UTP",
        ],
    ),
    ("MSCI.CGIF", &["MSCI"]),
    ("FTSE.CGIF", &["FTSE"]),
    ("INAV.CGIF", &["INAV"]),
    ("MSTAR.CGIF", &["MSTAR"]),
    ("CCCY.CGIF", &["CCCY"]),
    ("CGI.CGIF", &["CGI"]),
    ("MAIN.CGIF", &["CDEF"]),
    ("XTKS.FLEX", &["XTKS"]),
    ("XTKT.ITCH", &["XTKT"]),
    ("XOSE.ITCH", &["XOSE"]),
    ("DBIX.CORE", &["MAIN", "MSCI", "FTSE", "INAV", "MSTAR", "CCCY", "CGI", "CDEF"]),
];

/// The venue of a record, by its publisher and the data set of the file: `glbx-mdp3`, or `opra-pillar-xcbo` where
/// a data set has several markets.
pub(super) fn venue(dataset: Option<&str>, publisher: u16) -> String {
    let mut first = 1;
    let known = PUBLISHERS.iter().find_map(|(dataset, markets)| {
        let at = usize::from(publisher).checked_sub(first);
        first += markets.len();
        Some((*dataset, *markets.get(at?)?))
    });
    let name = dataset.or(known.map(|(dataset, _)| dataset)).unwrap_or("DBN");
    let own = name.split('.').next();
    let name = name.to_ascii_lowercase().replace('.', "-");
    match known {
        Some((_, market)) if Some(market) == own => name,
        Some((_, market)) => format!("{name}-{}", market.to_ascii_lowercase()),
        None if publisher == 0 => name,
        None => format!("{name}-{publisher}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markets_of_a_data_set_are_told_apart() {
        for (dataset, publisher, wanted) in [
            (Some("GLBX.MDP3"), 1, "glbx-mdp3"),
            (None, 1, "glbx-mdp3"),
            (Some("XNAS.ITCH"), 2, "xnas-itch"),
            (Some("OPRA.PILLAR"), 22, "opra-pillar-xcbo"),
            (Some("XNAS.BASIC"), 82, "xnas-basic-finn"),
            (None, 95, "equs-mini"),
            (None, 153, "dbix-core-cdef"),
            (Some("NEW.SET"), 60_000, "new-set-60000"),
            (None, 154, "dbn-154"),
            (None, 0, "dbn"),
        ] {
            assert_eq!(venue(dataset, publisher), wanted);
        }
    }
}
