// Triwire: see the module table in Package.swift.
